"""Addresses of the receivables pages."""

from django.urls import path

from . import aging_views, proof_views, receipt_views, views

app_name = "receivables"
urlpatterns = [
    path("invoices/", views.invoice_list, name="invoices"),
    path("invoices/new", views.new_invoice, name="new_invoice"),
    path("invoices/<int:number>/", views.invoice, name="invoice"),
    path("invoices/<int:number>/<str:verb>", views.act, name="act_on_invoice"),
    path("receipts/", receipt_views.receipt_list, name="receipts"),
    path("receipts/new", receipt_views.new_receipt, name="new_receipt"),
    path("receipts/<int:number>/", receipt_views.receipt, name="receipt"),
    path("receipts/<int:number>/<str:verb>", receipt_views.act, name="act_on_receipt"),
    path("aging/", aging_views.report, name="aging"),
    path("aging/items", aging_views.items, name="aging_items"),
    path("proof/", proof_views.show, name="proof"),
    path("proof/run", proof_views.run, name="run_proof"),
    path("proof/<int:number>/unpark", proof_views.unpark, name="unpark"),
]

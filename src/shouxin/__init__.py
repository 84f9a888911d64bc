"""Shouxin runs a company's customer-credit regulation (客户信用管理制度)."""

__version__ = "0.1.0"

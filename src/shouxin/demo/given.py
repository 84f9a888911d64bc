"""Personal data of the demo company that leave the house, to two recipients, and two assessments of what is done.

One assessment is in force and fresh; the other is a year old and due to be looked at again.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from shouxin.office.models import Person
from shouxin.office.privacy import assessments, sharings
from shouxin.rules.days import add_months
from shouxin.rules.privacy import AssessmentTerms, SharingTerms

BUREAU = SharingTerms(
    recipient="华东企业征信服务有限公司",
    kind="credit_bureau",
    contact="个人信息保护负责人 021-5555 0188，privacy@bureau.example",
    purpose="授信前及年度复审时查询自然人客户的信用记录",
    role="provided",
    persons=("customer", "guarantor"),
    fields=("customers.Customer.name", "customers.Customer.id_number", "credit.Security.provider"),
    manner="interface",
    basis="consent",
    consent="信用申请表第 9 栏单独签字，原件存档案室 B-2 柜",
    agreement="ZX-2025-017 信用信息查询服务协议",
    since=date.min,
)
INSURER = SharingTerms(
    recipient="申江信用保险股份有限公司",
    kind="insurer",
    contact="客户服务部 95500-8，dpo@insurer.example",
    purpose="为赊销应收账款投保，申报买方限额和逾期",
    role="provided",
    persons=("customer", "representative"),
    fields=("customers.Customer.name", "customers.Customer.legal_representative", "customers.Customer.address"),
    manner="file",
    basis="consent",
    consent="信用申请表第 10 栏单独签字",
    agreement="BX-2026-003 国内贸易短期信用保险单",
    since=date.min,
)
GRADING = AssessmentTerms(
    title="自然人客户自动评级",
    occasions=("sensitive", "automated"),
    processing="对自然人和个体工商户客户，按政策中的评分卡由系统计算得分、等级和建议额度；使用姓名、身份证号码、付款记录、"
    "公开的被执行信息。评分明细保存至档案期满。",
    necessity="订立和履行赊销合同所必需（第十三条第二项）。仅使用评分卡列明的项目；身份证号码只用于识别和查重，不参与计分。",
    impact="误评会使个人得不到赊购或被要求预付。付款记录错配的可能性低，公开信息滞后的可能性中等。不涉及人身安全。",
    risk="medium",
    measures="系统给出的等级须经信用负责人确认后生效；每项扣分说明理由；本人可要求人工复核；身份证号码加密存储并默认遮盖；"
    "查看留痕。",
    fits=True,
    conclusion="go",
    opinion="措施与风险相适应，可以继续；复评时核对人工复核改变结论的比例。",
    assessed_on=date.min,
)
GIVING = AssessmentTerms(
    title="向征信机构和保险公司提供个人信息",
    occasions=("sensitive", "sharing"),
    processing="向征信机构提供自然人客户及担保人的姓名、身份证号码以查询信用记录；向保险公司提供客户名称、法定代表人、地址以投保。",
    necessity="赊销须了解信用状况并转移风险；不提供即无法查询和投保。只提供对方业务规则要求的最少字段。",
    impact="泄露可致身份冒用；错误报送可影响个人信用记录。接收方均持牌，可能性低。",
    risk="high",
    measures="单独同意；专线接口和加密文件；协议约定目的、期限、再提供的限制；每次提供登记并可查。",
    fits=True,
    conclusion="go_with",
    opinion="每季度核对单独同意的签署率，不足者停止提供。",
    assessed_on=date.min,
)


def load(today: date, at: datetime) -> None:
    """Both recipients with the agreement of one, and both assessments reviewed by another person."""
    people = {name: Person.objects.get(username=name) for name in ("bo", "cy", "vi")}
    entered = {"by": people["bo"], "on": today, "at": at}
    bureau = sharings.enter(replace(BUREAU, since=add_months(today, -14)), **entered)
    insured = replace(INSURER, since=add_months(today, -8), until=add_months(today, 4))
    insurer = sharings.enter(insured, **entered)
    scan = SimpleUploadedFile("ZX-2025-017.txt", "信用信息查询服务协议（摘要）：目的、字段、期限、安全措施。".encode())
    sharings.keep_file(bureau, scan, note="协议摘要", **entered)
    fixed = replace(sharings.terms_of(bureau), contact="个人信息保护负责人 021-5555 0199，privacy@bureau.example")
    sharings.correct(bureau, fixed, why="对方更换了联系电话", version=bureau.version, **entered)
    fresh = replace(GRADING, assessed_on=add_months(today, -2))
    due = add_months(today, -12) + timedelta(days=12)
    old = replace(GIVING, assessed_on=due, covers=(bureau.pk, insurer.pk))
    for terms, writer, reviewer in ((fresh, "cy", "vi"), (old, "bo", "cy")):
        row = assessments.write(terms, by=people[writer], on=today, at=at)
        soon = terms.assessed_on + timedelta(days=2)
        assessments.review(row, note="已阅，同意", by=people[reviewer], on=soon, at=at)

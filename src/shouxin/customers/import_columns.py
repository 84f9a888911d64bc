"""The columns of a file of customers, and how ledgers head them."""

from django.utils.translation import gettext_lazy as _

from shouxin.lib.imports.kinds import Column, also
from shouxin.rules.industries import INDUSTRIES

from .identify import CODE, NAME, USCC

_INDUSTRY_WORDS = {word: letter for letter, (zh, en) in INDUSTRIES.items() for word in (letter, zh, en)}

_TIES = {
    "subsidiary": "subsidiary", "子公司": "subsidiary", "控股子公司": "subsidiary", "全资子公司": "subsidiary",
    "branch": "branch", "分公司": "branch", "分支机构": "branch",
    "controlled": "controlled", "受控": "controlled", "实际控制": "controlled",
    "affiliate": "affiliate", "参股": "affiliate", "参股公司": "affiliate", "关联企业": "affiliate",
}  # fmt: skip

CUSTOMER_COLUMNS = (
    CODE,
    NAME,
    Column(
        "short_name",
        _("short name"),
        "name",
        also(
            "简称",
            "short name, alias",
        ),
        length_max=80,
    ),
    USCC,
    Column(
        "uscc_confirmed",
        _("confirmed although the code fails"),
        "text",
        also(
            "信用代码确认说明",
        ),
        length_max=300,
    ),
    Column(
        "natural_person",
        _("natural person or sole trader"),
        "bool",
        also(
            "是否自然人 个体工商户",
            "natural person",
        ),
    ),
    Column(
        "legal_representative",
        _("legal representative"),
        "name",
        also(
            "法定代表人 法人代表 法人 负责人",
            "legal representative",
        ),
        length_max=80,
    ),
    Column(
        "registered_capital",
        _("registered capital"),
        "amount",
        also(
            "注册资本 注册资金",
            "registered capital",
        ),
        sign="not_negative",
    ),
    Column(
        "paid_in_capital",
        _("paid-in capital"),
        "amount",
        also(
            "实缴资本 实收资本",
            "paid-in capital",
        ),
        sign="not_negative",
    ),
    Column(
        "founded_on",
        _("founded on"),
        "date",
        also(
            "成立日期 成立时间 注册日期",
            "founded, founded on, date of incorporation",
        ),
    ),
    Column(
        "address",
        _("address"),
        "text",
        also(
            "地址 注册地址 住所 经营地址 通讯地址",
            "address, street",
        ),
        length_max=300,
    ),
    Column(
        "region",
        _("region"),
        "name",
        also(
            "地区 区域 省份 省市 所属地区",
            "region, state, province",
        ),
        length_max=80,
    ),
    Column(
        "telephone",
        _("telephone"),
        "text",
        also(
            "电话 联系电话 手机 手机号",
            "telephone, phone, tel",
        ),
        length_max=40,
    ),
    Column(
        "email",
        _("e-mail for letters"),
        "text",
        also(
            "邮箱 电子邮箱 电子邮件",
            "email, e-mail",
        ),
        length_max=254,
    ),
    Column(
        "contact",
        _("contact"),
        "name",
        also(
            "联系人",
            "contact, contact person",
        ),
        length_max=80,
    ),
    Column(
        "bank",
        _("bank"),
        "name",
        also(
            "开户银行 开户行 银行",
            "bank, bank name",
        ),
        length_max=120,
    ),
    Column(
        "bank_account",
        _("bank account"),
        "code",
        also(
            "银行账号 账号 银行帐号 账户",
            "bank account, account no. (bank)",
        ),
        length_max=40,
    ),
    Column(
        "industry",
        _("industry"),
        "choice",
        also(
            "行业 所属行业 行业类别",
            "industry, sector",
        ),
        choices=_INDUSTRY_WORDS,
    ),
    Column(
        "credit_standard",
        _("credit standard"),
        "text",
        also(
            "信用标准",
            "credit standard",
        ),
        length_max=300,
    ),
    Column(
        "currency",
        _("currency"),
        "currency",
        also(
            "币种 币别",
            "currency, invoice_currency",
        ),
    ),
    Column(
        "salesperson",
        _("salesperson"),
        "name",
        also(
            "业务员 销售员 客户经理 专管业务员 负责业务员",
            "salesperson, account manager, sales rep",
        ),
        length_max=150,
    ),
    Column(
        "department",
        _("department"),
        "name",
        also(
            "部门 所属部门 销售部门 分管部门",
            "department",
        ),
        length_max=80,
    ),
    Column(
        "group_code",
        _("code of the parent in the group"),
        "code",
        also(
            "集团编码 集团客户编码 上级客户编码 总公司编码 母公司编码",
            "group code, parent customer, parent code",
        ),
        length_max=40,
    ),
    Column(
        "tie_kind",
        _("kind of tie to the parent"),
        "choice",
        also("关联关系 隶属关系 关联类型", "kind of tie, relation"),
        choices=_TIES,
    ),
    Column(
        "share_percent",
        _("share of the capital the parent holds, %"),
        "share",
        also("持股比例 母公司持股比例 控股比例", "share percent, percent held"),
    ),
    Column(
        "customer_since",
        _("customer since"),
        "date",
        also(
            "建档日期 合作日期 首次合作日期 开始合作日期",
            "customer since, first_clear",
        ),
    ),
)

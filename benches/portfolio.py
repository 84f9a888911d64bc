"""A company's books of any size, made by rule: N customers, M open items, everything that hangs on them, proof 0.00.

Deterministic: the same sizes give the same books. Customers are copied in with the names and search keys the registry
would give them; papers, postings and balances are written by one statement each, with the indexes built afterwards.
Open items are spread unevenly: a few customers have thousands, most a handful. Every name is invented.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models

SALESPEOPLE, DEPARTMENTS, CHUNK = 200, 20, 2000
NAMES = 100_000
"""So many different names; beyond them customers share theirs, as branches do."""
PLACES = (
    "重庆", "成都", "上海", "北京", "天津", "广州", "深圳", "杭州", "南京", "苏州", "武汉", "长沙", "西安", "郑州",
    "济南", "青岛", "合肥", "福州", "厦门", "南昌", "昆明", "贵阳", "兰州", "太原", "沈阳", "大连", "长春",
    "哈尔滨", "石家庄", "呼和浩特", "乌鲁木齐", "银川", "西宁", "海口", "南宁", "宁波", "温州", "无锡", "常州",
    "佛山", "东莞", "中山", "珠海", "烟台",
)  # fmt: skip
SYLLABLES = "华联恒泰瑞丰宏达鑫盛金源东方永兴隆安顺和信诚嘉美康德利通海天润泽凯博远新世纪龙腾飞宇航星光明辉煌中汇百川"
TRADES = (
    "商贸", "机械", "电子", "化工", "建材", "食品", "医药", "物流", "纺织", "五金", "包装", "钢铁", "汽车配件",
    "环保科技", "信息技术", "农业发展", "家具", "仪器仪表", "新材料", "能源", "印刷", "塑料制品", "电气设备",
    "供应链管理", "百货", "粮油", "玻璃", "陶瓷", "电缆", "轴承",
)  # fmt: skip
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "销售有限公司")


@dataclass(frozen=True)
class Size:
    """How many customers and open items; a tenth as many items again were paid in the year before."""

    customers: int
    items: int


def build(size: Size, *, today: date, at: Any, on_step: Callable[[str], None] = lambda told: None) -> None:
    """Fill an empty, migrated database. Raises RuntimeError where there are customers already."""
    from shouxin.customers.models import Customer

    if Customer.objects.exists():
        raise RuntimeError("the books are not empty")
    people = _people(today)
    on_step("customers")
    with _bare("customers_customer"):
        _customers(size.customers, people, today, at)
    facts = {"n": size.customers, "m": size.items, "today": today, "at": at}
    for told, tables, statements in STEPS:
        on_step(told)
        with _bare(*tables):
            for statement in statements:
                _run(statement, facts)
    on_step("orders")
    _orders(size.customers, today, at)
    on_step("analyze")
    _run("VACUUM ANALYZE", {})


def _run(statement: str, facts: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts or None)


@contextmanager
def _bare(*tables: str) -> Iterator[None]:
    """Load without foreign keys and secondary indexes, and build them afterwards: several times faster."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u') ORDER BY contype DESC",
            [list(tables)],
        )
        rules = cursor.fetchall()
        for table, name, _text in rules:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary",
            [list(tables)],
        )
        indexes = cursor.fetchall()
        for name, _text in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, text in indexes:
            cursor.execute(text)
        for table, name, text in reversed(rules):
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}')


# --- people and customers ------------------------------------------------------------------------


def _people(today: date) -> list[Any]:
    """A manager, an administrator, and the salespeople with their departments."""
    from shouxin.office.models import Appointment, Person

    named = [("manager", "credit-manager", ""), ("administrator", "credit-administrator", "")]
    named += [(f"sales{n:03d}", "sales", f"销售{n % DEPARTMENTS + 1}部") for n in range(SALESPEOPLE)]
    people = [Person(username=name, name=name, department=where, password="!") for name, _post, where in named]
    Person.objects.bulk_create(people)
    begun = today - timedelta(days=800)
    held = zip(people, named, strict=True)
    Appointment.objects.bulk_create(
        [Appointment(person=person, post=post, since=begun) for person, (_name, post, _where) in held]
    )
    return people[2:]


def _customers(count: int, people: list[Any], today: date, at: Any) -> None:
    from shouxin.customers.models import Customer
    from shouxin.lib.copying import copy_in

    fields = list(Customer._meta.concrete_fields)
    names = [field.name for field in fields]

    named = _names(min(count, NAMES))

    def rows() -> Iterator[list[Any]]:
        for number in range(1, count + 1):
            row = _customer(number, named[number % len(named)], people, today, at)
            yield [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]

    copy_in(Customer, names, rows())
    _run("SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %(n)s)", {"n": count})


def _customer(number: int, named: tuple[str, str, list[str]], people: list[Any], today: date, at: Any) -> Any:
    from shouxin.customers import search
    from shouxin.customers.models import Customer

    name, brand, keys = named
    code, person = f"C{number:07d}", people[number % len(people)]
    return Customer(
        id=number,
        code=code,
        name=name,
        short_name=brand,
        search_keys=sorted({*keys, *search.keys_of(Customer(code=code))}),
        region=name[:2],
        industry="CFGHIJ"[number % 6],
        contact="张三",
        telephone=f"138{number:08d}",
        email=f"finance{number}@example.com",
        currency="USD" if number % 50 == 0 else "CNY",
        salesperson_id=person.pk,
        department=person.department,
        group_head_id=number - number % 500 if number % 50 == 7 and number > 500 else None,
        customer_since=today - timedelta(days=400 + number % 4000),
        founded_on=today - timedelta(days=1500 + number % 8000),
        registered_capital=Decimal(100_000 + number % 997 * 50_000),
        paid_in_capital=Decimal(50_000 + number % 991 * 30_000),
        created_at=at,
    )


def _names(count: int) -> list[tuple[str, str, list[str]]]:
    """So many names with their short form and the registry's search keys, worked out by two processes."""
    with ProcessPoolExecutor(2) as pool:
        chunks = pool.map(_named, range(0, count, CHUNK), [count] * -(-count // CHUNK))
        return [each for chunk in chunks for each in chunk]


def _named(first: int, count: int) -> list[tuple[str, str, list[str]]]:
    from shouxin.customers import search
    from shouxin.customers.models import Customer

    found = []
    for number in range(first, min(first + CHUNK, count)):
        chance = random.Random(number)
        brand = "".join(chance.choices(SYLLABLES, k=chance.choice((2, 2, 3, 4))))
        name = chance.choice(PLACES) + brand + chance.choice(TRADES) + chance.choice(FORMS)
        found.append((name, brand, search.keys_of(Customer(name=name, short_name=brand))))
    return found


# --- papers --------------------------------------------------------------------------------------

_CHANCE = "(hashint8extended({n}, {salt}) & 2147483647)"


def _chance(number: str, salt: int) -> str:
    """A whole number from 0 to 2³¹−1 that depends on nothing but these two."""
    return _CHANCE.format(n=number, salt=salt)


def _serial(table: str) -> str:
    return f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), GREATEST((SELECT max(id) FROM {table}), 1))"


_ACCOUNTS = """
INSERT INTO credit_creditaccount
    (id, customer_id, currency, reserved, undelivered, unbilled, receivable, bills, deposits, parked)
SELECT id, id, currency, 0, 0, 0, 0, 0, 0, '' FROM customers_customer
"""

_LINES = f"""
INSERT INTO credit_line (grade, limit_kind, "limit", currency, term_days, since, until, temporary, pool, customer_id,
                         why, cause, policy_version, at)
SELECT substr('AABBBCCD', 1 + ({_chance("c.id", 1)} %% 8)::int, 1), 'amount',
       10000 * (1 + {_chance("c.id", 2)} %% 300), c.currency, 60, %(today)s::date - 400 + 200 * edition,
       CASE WHEN edition = 1 THEN %(today)s::date + ({_chance("c.id", 3)} %% 700)::int - 30 END,
       false, false, c.id, 'portfolio', 'import', 1, %(at)s
FROM customers_customer c, generate_series(0, 1) edition
WHERE c.id %% 5 > 0 AND (edition = 1 OR c.id %% 4 = 0) ORDER BY c.id, edition
"""

_FACTS = f"""
INSERT INTO customers_fact (customer_id, key, value, source, as_of, note, collected_at)
SELECT c.id, key, to_jsonb(({_chance("c.id", 4)} %% 100000)::text), 'statement', %(today)s::date - 90, '', %(at)s
FROM customers_customer c, unnest(ARRAY['annual_sales', 'net_assets']) key ORDER BY c.id
"""

_STANDINGS = """
INSERT INTO customers_standing (customer_id, standing, since, why, at)
SELECT id, (ARRAY['watched', 'stopped', 'cash_only'])[1 + id % 3], %(today)s::date - 30, 'portfolio', %(at)s
FROM customers_customer WHERE id %% 33 = 0
""".replace("id % 3]", "id %% 3]")

_INVOICES = f"""
INSERT INTO receivables_invoice (id, account_id, customer_id, source_system, doc_no, kind, dated_on, due_on, amount,
                                 currency, order_no, contract_no, description, at)
SELECT i, owner, owner, '', 'INV' || lpad(i::text, 9, '0'),
       CASE WHEN credit THEN 'credit_note' ELSE 'invoice' END, dated_on, due_on,
       CASE WHEN credit THEN -amount ELSE amount END, CASE WHEN owner %% 50 = 0 THEN 'USD' ELSE 'CNY' END,
       '', '', '', %(at)s
FROM (
    SELECT i, i > %(m)s AS paid, i %% 199 = 0 AND i <= %(m)s AS credit,
           1 + ((%(n)s::float8 * ({_chance("i", 5)} / 2147483648.0) ^ 2)::bigint * 7919) %% %(n)s AS owner,
           (100 + {_chance("i", 6)} %% 4000000) / 100.0 AS amount,
           %(today)s::date - ({_chance("i", 7)} %% 240)::int - CASE WHEN i > %(m)s THEN 100 ELSE 0 END AS dated_on,
           (ARRAY[30, 60, 90])[1 + i %% 3] AS term
    FROM generate_series(1, %(m)s + %(m)s / 10) i
) AS made
CROSS JOIN LATERAL (SELECT CASE WHEN credit OR i %% 997 = 0 THEN NULL ELSE dated_on + term END AS due_on) AS due
"""

_INSTALMENTS = """
INSERT INTO receivables_instalment (id, invoice_id, customer_id, number, due_on, amount, settled, contested, settled_on)
SELECT id, id, customer_id, 1, due_on, amount,
       CASE WHEN id > %(m)s THEN amount WHEN id %% 20 = 3 AND amount > 0 THEN round(amount / 3, 2) ELSE 0 END,
       CASE WHEN id <= %(m)s AND id %% 200 = 7 AND amount > 0 THEN round(amount / 2, 2) ELSE 0 END,
       CASE WHEN id > %(m)s THEN LEAST(due_on + (id %% 40)::int - 20, %(today)s::date) END
FROM receivables_invoice ORDER BY id
"""

_CONTESTS = """
INSERT INTO receivables_contest (instalment_id, amount, why, since, outcome)
SELECT id, contested, 'portfolio', %(today)s::date - 5, '' FROM receivables_instalment WHERE contested > 0
"""

_RECEIPTS = """
INSERT INTO receivables_receipt (id, account_id, customer_id, source_system, doc_no, received_on, amount, currency,
                                 payer, names, applied, at)
SELECT i.id, v.account_id, i.customer_id, '', 'RC' || lpad(i.id::text, 9, '0'),
       COALESCE(i.settled_on, LEAST(v.dated_on + 20, %(today)s::date)), i.settled, v.currency, '', '[]'::jsonb,
       i.settled, %(at)s
FROM receivables_instalment i JOIN receivables_invoice v ON v.id = i.invoice_id WHERE i.settled > 0
UNION ALL
SELECT %(m)s * 2 + id, id, id, '', 'ADV' || id, %(today)s::date - 3, 1000 + id %% 777, currency, '', '[]'::jsonb,
       0, %(at)s
FROM customers_customer WHERE id %% 40 = 11
"""

_MATCHES = """
INSERT INTO receivables_match (instalment_id, receipt_id, amount, "on", at)
SELECT id, id, applied, received_on, at FROM receivables_receipt WHERE applied > 0
"""

_POSTINGS = """
INSERT INTO credit_posting (account_id, source, target, amount, document, "on", at)
SELECT account_id, CASE WHEN amount < 0 THEN 'receivable' ELSE '' END,
       CASE WHEN amount < 0 THEN '' ELSE 'receivable' END, abs(amount), 'invoice:' || doc_no, dated_on, at
FROM receivables_invoice
UNION ALL
SELECT account_id, 'receivable', '', amount, 'receipt:' || doc_no, received_on, at FROM receivables_receipt
"""

_BALANCES = """
UPDATE credit_creditaccount a SET receivable = posted.amount FROM (
    SELECT account_id, sum(CASE target WHEN '' THEN -amount ELSE amount END) AS amount
    FROM credit_posting GROUP BY account_id
) AS posted WHERE posted.account_id = a.id
"""

_EPISODES = """
INSERT INTO receivables_episode (customer_id, began_on, stage, baseline_grade, rung_days, late_count_applied)
SELECT customer_id, min(due_on) + 1, 1, '', 0, false FROM receivables_instalment
WHERE NOT settled = amount AND amount > 0 AND due_on < %(today)s GROUP BY customer_id
HAVING customer_id %% 4 = 0
"""

_TASKS = """
INSERT INTO collection_task (customer_id, kind, stage, post, person_id, amount, currency, note, due_on, made_on, status,
                             result)
SELECT c.id, 'call', 1, 'sales', c.salesperson_id, GREATEST(a.receivable, 0), a.currency, '', %(today)s::date + 5,
       %(today)s, 'open', ''
FROM receivables_episode e JOIN customers_customer c ON c.id = e.customer_id
JOIN credit_creditaccount a ON a.customer_id = c.id
UNION ALL
SELECT c.id, 'line_expiring', NULL, 'credit-administrator', NULL, l."limit", l.currency, '', l.until, %(today)s,
       'open', ''
FROM credit_line l JOIN customers_customer c ON c.id = l.customer_id
WHERE l.until BETWEEN %(today)s::date AND %(today)s::date + 30
"""

_NOTICES = """
INSERT INTO collection_notice (number, customer_id, episode_id, day_id, stage, language, subject, body, items, claimed,
                               letter, deadline, "to", status, fault)
SELECT 'N' || lpad(e.id::text, 8, '0'), e.customer_id, e.id, d.id, 1, 'zh-hans', '付款提醒', '', '[]'::jsonb,
       jsonb_build_object(a.currency, GREATEST(a.receivable, 0)::text), '{"title": "付款提醒"}'::jsonb,
       %(today)s::date + 5,
       '', 'waiting', ''
FROM receivables_episode e JOIN credit_creditaccount a ON a.customer_id = e.customer_id, collection_day d
"""

_DAY = """
INSERT INTO collection_day (as_of, status, started_at, counts, aging, faults, proof, policy_version)
VALUES (%(today)s::date - 1, 'done', %(at)s, '{}', '{}', '[]', '{}', 1)
"""

STEPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("accounts and lines", (), (_ACCOUNTS, _serial("credit_creditaccount"), _LINES, _FACTS, _STANDINGS)),
    ("invoices", ("receivables_invoice",), (_INVOICES, _serial("receivables_invoice"))),
    ("instalments", ("receivables_instalment",), (_INSTALMENTS, _serial("receivables_instalment"), _CONTESTS)),
    ("receipts", ("receivables_receipt",), (_RECEIPTS, _serial("receivables_receipt"))),
    ("matches", ("receivables_match",), (_MATCHES,)),
    ("postings", ("credit_posting",), (_POSTINGS, _BALANCES)),
    ("dunning", (), ("VACUUM ANALYZE", _EPISODES, _TASKS, _DAY, _NOTICES)),
)
"""What is written in which order; the tables named are loaded bare."""


# --- orders --------------------------------------------------------------------------------------


def _orders(customers: int, today: date, at: Any) -> None:
    """Orders of every fiftieth customer, ten thousand at most, decided as any order is: reserved, held, declined."""
    from shouxin.office import policies
    from shouxin.orders import checks

    edition = policies.in_force(today)
    asked = range(1, customers + 1, max(50, customers // 10_000))
    for start in range(0, len(asked), 200):
        orders = [
            checks.CheckRequest(f"C{number:07d}", Decimal(1000 + number % 900 * 100), f"SO{number:07d}")
            for number in asked[start : start + 200]
        ]
        checks.decide(orders, edition=edition, today=today, at=at, by=None)


def open_items() -> int:
    """How many instalments stand open."""
    from shouxin.receivables.models import Instalment

    return Instalment.objects.exclude(settled=models.F("amount")).count()


__all__ = ["Size", "build", "open_items"]

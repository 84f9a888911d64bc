"""Terms of payment against the line they are granted under: does an order ask for more than was granted (B2.1)?"""

from .policy import Discount


def loosened(
    line_term_days: int, line_discount: Discount | None, order_term_days: int | None, order_discount: Discount | None
) -> bool:
    """Whether an order asks for a longer term, or a larger or longer cash discount, than its line grants.

    Terms are in days. An order without a term or discount of its own (None) takes those of the line. 0 days is cash.
    """
    longer = order_term_days is not None and order_term_days > line_term_days
    return longer or discount_loosened(line_discount, order_discount)


def discount_loosened(line: Discount | None, order: Discount | None) -> bool:
    """Whether the order's cash discount gives away more: a higher percentage, or the same for longer.

    A smaller percentage for longer counts too: which of the two costs more depends on when the customer pays.
    """
    if order is None or order.percent == 0:
        return False
    if line is None:
        return True
    return order.percent > line.percent or order.days > line.days

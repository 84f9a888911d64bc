"""Tools of the developers: they make what is kept in the tree and are not part of the product."""

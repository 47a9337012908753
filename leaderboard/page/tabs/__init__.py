"""The tabs of the page, one a file: `layout` makes the components, plain functions fill them."""

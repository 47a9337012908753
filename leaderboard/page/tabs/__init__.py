"""The tabs of the page, one a file: `lay_out` makes the components, plain functions fill them."""

"""Official documents: registers, gateways and mail logs become one stream of `DocumentEvent`s."""

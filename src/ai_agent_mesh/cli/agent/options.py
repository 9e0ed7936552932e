"""How agents are written on the command line: labels, prices, and where a credential comes from."""

import os
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ai_agent_mesh.product.agents import Credential
    from ai_agent_mesh.product.agents import Price as PriceValue

Name = Annotated[str, typer.Argument(metavar="AGENT", help="An agent's id or name.")]
Label = Annotated[
    list[str] | None, typer.Option("--label", help="A label, as name=value; may be repeated.")
]
Secret = Annotated[
    str | None,
    typer.Option(help="The environment variable that holds the credential, or - for stdin."),
]
Price = Annotated[
    str | None, typer.Option(help="Per 1000 tokens in and out, such as 0.15/0.60 (USD).")
]
Header = Annotated[str, typer.Option(help="The credential's header.")]
Scheme = Annotated[str, typer.Option(help="The word before it; empty for none.")]


def labels_of(texts: list[str] | None) -> dict[str, str]:
    """Read labels, each written as name=value."""
    pairs = [text.partition("=") for text in texts or ()]
    if any(not sign for _, sign, _ in pairs):
        raise typer.BadParameter("write name=value", param_hint="--label")
    return {name: value for name, _, value in pairs}


def credential_of(source: str | None, header: str, scheme: str) -> "Credential | None":
    """Read a credential from where other users of this machine cannot see it."""
    from ai_agent_mesh.product.agents import Credential

    if source is None:
        return None
    value = sys.stdin.readline().strip() if source == "-" else os.environ.get(source, "")
    if not value:
        raise typer.BadParameter(f"{source} is empty", param_hint="--credential-from")
    return Credential(value=value, header=header, scheme=scheme or None)


def price_of(text: str | None) -> "PriceValue | None":
    """Read a price, written as 0.15/0.60."""
    from ai_agent_mesh.product.agents import Price as PriceValue

    if text is None:
        return None
    given, _, taken = text.partition("/")
    try:
        return PriceValue(input_per_1k=Decimal(given), output_per_1k=Decimal(taken))
    except InvalidOperation as error:
        raise typer.BadParameter("write it as 0.15/0.60", param_hint="--price") from error

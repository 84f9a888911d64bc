"""`shouxin serve` and `shouxin migrate`: open the house, or only bring its database to this release."""

import sys
from typing import Annotated

import typer
from django.conf import settings

from shouxin.config import migrating, server, terminal

app = typer.Typer()
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: SHOUXIN_PORT, else 8000.")]


@app.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo company, once.")] = False,
    port: Port = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave background work to another server.")] = False,
) -> None:
    """Start everything: the embedded database, the web pages and API, and the worker. Ctrl-C stops it all."""
    chosen = port or settings.ENVIRONMENT.port
    try:
        server.check_port(settings.ENVIRONMENT.bind, chosen)
        migrating.bring_up()
        sign_ins = _load_demo() if demo else []
        migrating.let_go()
        server.serve(chosen, worker=not no_worker, greet=lambda: _greet(chosen, sign_ins))
    except (server.Unstartable, migrating.UnfitServer) as error:
        terminal.fail(error)


@app.command()
def migrate(as_json: terminal.AsJson = False) -> None:
    """Bring the database to this release. Several servers may do so together; one at a time works on it."""
    try:
        steps = migrating.bring_up()
    except migrating.UnfitServer as error:
        terminal.fail(error)
    terminal.print_json_or_table([{"applied": steps}], as_json=as_json)


def _load_demo() -> list[tuple[str, str, str]]:
    """The demo company, if it is not there yet; answers its sign-ins: name, password, what the person does."""
    from shouxin.demo import load

    with migrating.alone(), terminal.progress() as bar:
        load.load_once(progress=bar)
    return list(load.SIGN_INS)


def _greet(port: int, sign_ins: list[tuple[str, str, str]]) -> None:
    """The addresses and the demo sign-ins, in both languages, whatever the terminal speaks."""
    own = settings.ENVIRONMENT.url
    address = own if not own.startswith("http://127.0.0.1:") else f"http://127.0.0.1:{port}"
    lines = [
        "",
        "授信·守信 已启动 · Shouxin is running",
        f"  网页 Pages    {address}/",
        f"  接口 API      {address}/api/v1/docs",
        f"  数据 Data     {settings.HOME}",
        *(["  演示账号 Demo sign-ins (用户名 name / 密码 password)"] if sign_ins else []),
        *[f"    {name:<10} {password:<18} {who}" for name, password, who in sign_ins],
        "  按 Ctrl-C 停止 · Ctrl-C stops it",
        "",
    ]
    print("\n".join(lines), flush=True, file=sys.stdout)

"""The HTML frame and style of all billing pages."""

from html import escape

from aiohttp import web

_STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --muted: #59636e; --page: #f6f8fa; --card: #fff;
  --line: #d1d9e0; --button: #1f883d; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --muted: #9198a1; --page: #010409;
  --card: #0d1117; --line: #3d444d; --button: #238636; --link: #4493f8; } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif }
main { width: 100%; max-width: 30rem; padding: 1.5rem 1.75rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px }
h1 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3 }
h2 { margin: 1.25rem 0 .25rem; font-size: 1rem; line-height: 1.3 }
p { margin: 0 0 1rem; overflow-wrap: break-word } p:last-child { margin-bottom: 0 }
footer { margin-top: 1.25rem; color: var(--muted); font-size: .85rem }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, monospace; padding: .15em .35em; border-radius: 6px;
  background: color-mix(in srgb, var(--muted) 20%, transparent) }
a { color: var(--link) }
a.button { display: inline-block; padding: .45rem 1rem; border-radius: 6px; background: var(--button);
  color: #fff; text-decoration: none; font-weight: 600 }
button.plain { padding: .45rem 1rem; border-radius: 6px; border: 1px solid var(--line); font: inherit;
  background: transparent; color: var(--text); cursor: pointer }
a.button:focus-visible, button.plain:focus-visible { outline: 2px solid var(--text); outline-offset: 2px }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def make_page_response(
    title: str, content: str, status: int = 200, *, form_targets: str = "'none'"
) -> web.Response:
    """Return a page that is not cached and sends no referrer to other sites. `content` is HTML.

    `form_targets` are the sources of the Content-Security-Policy directive `form-action`.
    """
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": f"{_POLICY}; form-action {form_targets}",
        "X-Robots-Tag": "noindex",
    }
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)} · Agile GitHub Suite'
        f"</title><style>{_STYLE}</style><main><h1>{escape(title)}</h1>{content}"
        "<footer>Agile GitHub Suite</footer></main></html>"
    )
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)

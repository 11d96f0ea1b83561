"""A side of the bed that signs with DKIM2, set up by what `zi2-cert setup postfix` prints."""

import shutil

from .process import run, wait_until


def signing(bed, side, domain, more=""):
    """Keys, published; dkim2 in zi2.toml; Postfix as our own command has it."""
    zi2, folder = side.zi2, side.dir
    if "[dkim2]" in zi2.config.read_text():
        return
    if "[dkim]" not in zi2.config.read_text():
        zi2.append(f'[dkim]\ndir = "{folder}/dkim"\n')
    zi2.cert("keygen", "--dkim", "--domain", domain)
    shown = zi2.cert("dns", "show", "--domain", domain, "--format", "zone").stdout
    bed.dns.publish(domain, "\n".join(line for line in shown.splitlines() if "._domainkey." in line))
    zi2.append(
        f'[dkim2]\nsign = true\nlisten = ["unix:{folder}/dkim2.sock"]\ndir = "{folder}/dkim2"\n{more}'
    )
    zi2.restart()
    wait_until("dkim2.sock is there", lambda: (folder / "dkim2.sock").exists())
    printed = zi2.cert(
        "setup", "postfix", "--commands", "--postfix", side.postfix.etc, "--address", side.ip
    ).stdout
    assert "postfix" in printed.splitlines()[-1], printed
    run("/bin/sh", "-e", "-c", printed, env={"PATH": "/usr/sbin:/usr/bin:/bin"})
    side.postfix.reload()


def forwarding(bed, side, domain):
    """The same for a side that sends on what others have signed."""
    (side.dir / "snapshots").mkdir(mode=0o700)
    shutil.chown(side.dir / "snapshots", "nobody")
    signing(bed, side, domain, f'forward = true\nsnapshots = "{side.dir}/snapshots"\n')

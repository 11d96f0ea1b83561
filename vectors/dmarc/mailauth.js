// Writes DNS worlds made at random, with what mailauth makes of them, one JSON object a line:
//   npm install mailauth@7.1.0 && node mailauth.js 400 > mailauth.jsonl
'use strict';
const dmarc = require('mailauth/lib/dmarc/verify');

let seed = 9989n;
function random(below) {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((seed >> 33n) % BigInt(below));
}
const pick = list => list[random(list.length)];

const RECORDS = [
    'v=DMARC1; p=reject',
    'v=DMARC1; p=none; psd=n',
    'v=DMARC1; p=none; psd=y; np=reject',
    'v=DMARC1;p=quarantine;sp=none;np=reject; psd=u',
    'v=DMARC1; p=quarantine; t=y; np=none',
    'v = DMARC1 ; p = Reject ; t=Y; aspf=s',
    'v=DMARC1; adkim=s; sp=quarantine; p=reject; pct=0',
    'v=DMARC1; p=x',
    'v=DMARC1; p=reject; sp=junk',
    'v=DMARC1; sp=reject; rua=mailto:a@b.example',
    'v=DMARC1; p=reject; sp=junk; rua=x, mailto:x@y.example!10m',
    'v=DMARC1; p=reject; garbage; =; psd=maybe',
    'v=DMARC1; rua=a@b.example',
    'v=dmarc1; p=reject',
    'v=DMARC1 p=reject',
    'p=reject; v=DMARC1',
    'v=spf1 -all',
];

function name() {
    return Array.from({ length: 1 + random(random(3) ? 5 : 11) }, () => pick(['a', 'a', 'b'])).join('.');
}

function below(domain) {
    return `${name()}.${domain}`;
}

// Zones hold the names that may be asked for: an array of TXT records, or null for a name that gets no answer.
function zone(domains) {
    const zone = {};
    for (const domain of domains) {
        const labels = domain.split('.');
        for (let at = 0; at < labels.length; at++) {
            const owner = `_dmarc.${labels.slice(at).join('.')}`;
            const lot = random(24);
            if (owner in zone || lot > 9) continue;
            zone[owner] = lot === 0 ? null : lot === 1 ? [pick(RECORDS), pick(RECORDS)] : [pick(RECORDS)];
        }
    }
    if (random(3) === 0) zone[domains[0]] = [];
    return zone;
}

// A name exists if it or one below it is there (RFC 8020).
function resolver(zone) {
    return async (name, type) => {
        const error = code => Object.assign(new Error(code), { code });
        if (zone[name] === null) throw error('ESERVFAIL');
        if (zone[name]?.length && type === 'TXT') return zone[name].map(txt => [txt]);
        const exists = Object.keys(zone).some(other => other === name || other.endsWith(`.${name}`));
        throw error(exists ? 'ENODATA' : 'ENOTFOUND');
    };
}

async function main(count) {
    for (let at = 0; at < count; at++) {
        const from = name();
        const other = () => pick([() => from, name, () => below(from), () => below(from.split('.').slice(1).join('.') || from)])();
        const spf = random(2) ? other() : null;
        const dkim = Array.from({ length: random(3) }, other);
        const world = { from, spf, dkim, zone: zone([from, ...(spf ? [spf] : []), ...dkim]) };
        const result = await dmarc({
            headerFrom: [`ann@${from}`],
            spfDomains: spf ? [{ domain: spf }] : [],
            dkimDomains: dkim.map((domain, id) => ({ id: String(id), domain })),
            resolver: resolver(world.zone),
            strict: true
        });
        world.result = result.status.result;
        world.place = ['pass', 'fail'].includes(world.result) ? result.policyDomain : null;
        world.policy = world.result === 'fail' ? result.policy : 'none';
        console.log(JSON.stringify(world));
    }
}

main(Number(process.argv[2] || 400));

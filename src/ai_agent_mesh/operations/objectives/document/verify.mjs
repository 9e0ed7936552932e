// Checks an evidence bundle in a browser, by the rules of docs/statements.md, and offline.
// The same arithmetic as the command line's: whole numbers and fractions of BigInt, nothing rounded.

const SERVICES = ["api", "orchestration", "governance", "telemetry"];
const CATEGORIES = ["authentication", "agent_crud", "workflow_execution", "policy_evaluation",
  "telemetry_query", "other"];
const PERCENTILES = { p50: [50n, 100n], p95: [95n, 100n], p99: [99n, 100n] };
const WEEKDAYS = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];
const UNITS = { ms: 1_000n, s: 1_000_000n, m: 60_000_000n, h: 3_600_000_000n, d: 86_400_000_000n,
  w: 604_800_000_000n };
const MINUTE = UNITS.m;
const BY_MINUTE = new Set(["period", "all-fail"]);

// ---- bytes, hashes, signatures

const utf8 = (text) => new TextEncoder().encode(text);
const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

async function sha256(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { joined.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

const node = (left, right) => sha256(Uint8Array.of(1), left, right);

function leaf(seq, number, digest) {
  const data = new DataView(new ArrayBuffer(16));
  data.setBigUint64(0, BigInt(seq));
  data.setBigUint64(8, BigInt(number));
  return sha256(Uint8Array.of(0), new Uint8Array(data.buffer), digest);
}

/** RFC 9162, section 2.1.3.2. */
async function includes(root, index, size, hash, path) {
  let position = index, last = size - 1, current = hash;
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 || position === last) {
      current = await node(sibling, current);
      while (position % 2 === 0 && position) { position /= 2; last = Math.floor(last / 2); }
    } else current = await node(current, sibling);
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && same(current, root);
}

class Tree {
  peaks = [];
  async add(hash) {
    let size = 1, top = hash;
    while (this.peaks.length && this.peaks.at(-1).size === size) {
      top = await node(this.peaks.pop().top, top);
      size *= 2;
    }
    this.peaks.push({ size, top });
  }
  async root() {
    if (!this.peaks.length) return sha256();
    let top = this.peaks.at(-1).top;
    for (const peak of this.peaks.slice(0, -1).reverse()) top = await node(peak.top, top);
    return top;
  }
}

// ---- exact figures

const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a < 0n ? -a : a; };
function fraction(n, d = 1n) {
  const by = gcd(n, d) || 1n;
  return { n: n / by, d: d / by };
}
const plus = (a, b) => fraction(a.n * b.d + b.n * a.d, a.d * b.d);
const minus = (a, b) => fraction(a.n * b.d - b.n * a.d, a.d * b.d);
const times = (a, b) => fraction(a.n * b.n, a.d * b.d);
const over = (a, b) => (b.n < 0n ? fraction(-a.n * b.d, -a.d * b.n) : fraction(a.n * b.d, a.d * b.n));
const below = (a, b) => a.n * b.d < b.n * a.d;
const NONE = fraction(0n), WHOLE = fraction(1n);
const sum = (figures) => figures.reduce(plus, NONE);

/** A decimal number, cut off after 12 digits, never rounded. */
function decimal(figure) {
  const scaled = ((figure.n < 0n ? -figure.n : figure.n) * 10n ** 12n) / figure.d;
  const rest = (scaled % 10n ** 12n).toString().padStart(12, "0").replace(/0+$/, "");
  const text = rest ? `${scaled / 10n ** 12n}.${rest}` : `${scaled / 10n ** 12n}`;
  return figure.n < 0n && scaled ? `-${text}` : text;
}
const percent = (share) => (share === null ? null : `${decimal(times(share, fraction(100n)))}%`);
const ratio = (share) => (share === null || share.d.toString(2).length >= 3000 ? null : `${share.n}/${share.d}`);

function exact(text) {
  const [whole, rest = ""] = text.split(".");
  return fraction(BigInt(whole + rest), 10n ** BigInt(rest.length));
}
const shareOf = (text) => over(exact(text.replace("%", "")), fraction(100n));
function durationOf(text) {
  let total = NONE;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ms|[smhdw])/g)) {
    total = plus(total, times(exact(number), fraction(UNITS[unit])));
  }
  return total.n / total.d;
}

// ---- moments, in microseconds since 1970

function moment(text) {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!found) throw new Error(`${text} is no moment`);
  return BigInt(Date.parse(found[1] + found[3])) * 1000n + BigInt((found[2] ?? "").padEnd(6, "0"));
}
function told(at, always = false) {
  const rest = at % 1_000_000n;
  const seconds = new Date(Number((at - rest) / 1000n)).toISOString().slice(0, 19);
  return rest || always ? `${seconds}.${rest.toString().padStart(6, "0")}Z` : `${seconds}Z`;
}
const floorMinute = (at) => Number(at / MINUTE);
const ceilMinute = (at) => Number((at + MINUTE - 1n) / MINUTE);
const startedIn = (since, until) => [ceilMinute(since), ceilMinute(until)];
const wholly = (since, until) => [ceilMinute(since), floorMinute(until)];
const size = ([first, end]) => Math.max(0, end - first);
const clip = ([a, b], [c, d]) => [Math.max(a, c), Math.min(b, d)];
function* each([first, end]) { for (let at = first; at < end; at++) yield at; }

// ---- what is found

class Findings {
  failures = new Map();
  fail(check, place, reason, times = 1) {
    const first = this.failures.get(check);
    if (first) first.times += times;
    else this.failures.set(check, { check, place, reason, times });
  }
}

class Keys extends Findings {
  keys = new Map();
  signers = new Map();
  async take(piece) {
    const raw = bytesOf(piece.public);
    if (hex(await sha256(raw)).slice(0, 16) !== piece.key_id) {
      return this.fail("signature", `key ${piece.key_id}`, "this is not the name of its public key");
    }
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]).catch(refused);
    this.keys.set(piece.key_id, { key, public: piece.public });
  }
  async signed(piece, text, place, found = this) {
    const known = this.keys.get(piece.key_id);
    if (known === undefined) return found.fail("signature", place, `its key ${piece.key_id} is not known`);
    const holds = known.key && await crypto.subtle.verify("Ed25519", known.key, bytesOf(piece.signature), text);
    if (holds) this.signers.set(piece.key_id, known.public);
    else found.fail("signature", place, "its signature does not hold");
  }
}

/** What this browser cannot do. Whatever else goes wrong is the file's own fault. */
class Unable extends Error {}
function refused(error) {
  if (error.name === "NotSupportedError") throw new Unable("this browser does not know Ed25519");
  return null;
}

// ---- what a line may be: the shapes that the command line reads, and nothing else

const text = (value) => typeof value === "string";
const whole = (value) => Number.isSafeInteger(value) && value >= 0;
const inHour = (value) => whole(value) && value < 60;
const oneOf = (names) => (value) => names.includes(value);
const orNone = (shape) => (value) => value === null || value === undefined || shape(value);
const listOf = (shape) => (value) => Array.isArray(value) && value.every(shape);
const object = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const shaped = (fields) => (value) => object(value)
  && Object.entries(fields).every(([name, shape]) => shape(Object.hasOwn(value, name) ? value[name] : undefined));
const packed = (value) => text(value)
  && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
const instant = (value) => {
  try { return text(value) && typeof moment(value) === "bigint"; } catch { return false; }
};
const spanned = { since: instant, until: instant };
const signedBy = { key_id: text, signature: packed };
const plainAmount = (value) => text(value) && /^-?[0-9]{1,20}(\.[0-9]{1,20})?$/.test(value);
const isMinute = (value) => Array.isArray(value) && value.length === 8 && inHour(value[0]) && value.every(whole);
const SHAPES = {
  statement: shaped({ text, ...signedBy }),
  key: shaped({ key_id: text, public: packed }),
  playbook: shaped({ digest: text, text }),
  minutes: shaped({ tenant: text, service: oneOf(SERVICES), category: oneOf(CATEGORIES), since: instant,
    counts: listOf(isMinute) }),
  seal: shaped({ tenant: text, ...spanned, lines: whole, digest: packed, ...signedBy }),
  head: shaped({ tenant: text, ...spanned, first_number: whole, last_number: whole, entries: whole, root: packed,
    at: instant, ...signedBy }),
  batch: shaped({ batch: whole, first_seq: whole, last_seq: whole, root: packed, previous: packed, playbook: text,
    at: instant, ...signedBy }),
  entry: shaped({ seq: whole, number: whole, digest: packed, text, path: orNone(listOf(packed)) }),
  end: shaped({ batches: whole, entries: whole }),
};
const isStatement = shaped({
  tenant: text, ...spanned, asked_since: instant, asked_until: instant, computed_at: instant, playbook: text,
  parts: listOf(shaped({
    ...spanned, tier: text, monthly_fees: listOf(shaped({ ...spanned, amount: plainAmount, currency: text })),
  })),
  services: listOf(shaped({ service: text, watched_since: orNone(instant) })),
  ledger: listOf(object),
});
const KINDS = ["call", "task", "act", "notice", "amendment", "stream_closed"];
const isEntry = (value) => shaped({
  v: (version) => version === 1, id: text, kind: oneOf(KINDS), tenant: text,
  at: (at) => instant(at) && /(?:Z|[+-]00:00)$/.test(at),
  service: orNone(oneOf(SERVICES)), category: orNone(oneOf(CATEGORIES)),
  fault: (fault) => fault === undefined || FAULTS.has(fault),
  duration_us: (us) => us === undefined || whole(us), latency_us: (us) => us === undefined || whole(us),
  object: orNone(text), actor: orNone(text), playbook: orNone(text),
  detail: (detail) => detail === undefined || (object(detail) && Object.values(detail).every(text)),
})(value) && (value.kind !== "call" || (value.service && value.category));

/** A line's piece, or an error that says what it is not. */
function pieceOf(raw) {
  const piece = JSON.parse(raw);
  if (!object(piece)) throw new Error("it is no object");
  if (!Object.hasOwn(SHAPES, piece.type)) throw new Error(`there is no type ${piece.type}`);
  if (!SHAPES[piece.type](piece)) throw new Error(`it is not of the form of a ${piece.type}`);
  return piece;
}

const LONGEST = 366n * UNITS.d;
/** The statement of a bundle's first line. */
function statementOf(first) {
  const stated = JSON.parse(first.text);
  if (!isStatement(stated)) throw new Error("it is not of the form of one");
  const [since, until] = [moment(stated.since), moment(stated.until)];
  const inside = (part) => since <= moment(part.since) && moment(part.since) <= moment(part.until) && moment(part.until) <= until;
  if (until < since || until - since > LONGEST || !stated.parts.length || !stated.parts.every(inside)) {
    throw new Error("it states no span that can be judged");
  }
  return stated;
}

const lines = (...parts) => utf8(parts.map((part) => `${part}\n`).join(""));
const headText = (h) => lines("ai-agent-mesh ledger head v1", h.tenant, span(h),
  `${h.first_number} ${h.last_number}`, h.entries, h.root, told(moment(h.at), true), h.key_id);
const sealText = (s) => lines("ai-agent-mesh minutes v1", s.tenant, span(s), s.lines, s.digest, s.key_id);
const batchText = (b) => lines("ai-agent-mesh ledger batch v1", b.batch, `${b.first_seq} ${b.last_seq}`,
  b.root, b.previous, b.playbook, told(moment(b.at), true), b.key_id);
const span = (piece) => `${told(moment(piece.since), true)} ${told(moment(piece.until), true)}`;

// ---- counting

const valid = (fault) => Number(fault === "none" || fault === "upstream" || fault === "platform");
const bad = (fault) => Number(fault === "platform");
const timed = (fault) => Number(fault === "none" || fault === "platform");
const FAULTS = new Set(["none", "client", "quota", "upstream", "platform"]);

/** How a call counts: valid, bad, timed, and within each promised latency. */
function asJudged(fault, latency, promised) {
  const within = (target) => Number(timed(fault) && !bad(fault) && BigInt(latency) < target);
  return [valid(fault), bad(fault), promised ? timed(fault) : 0, ...(promised ?? []).map(within)];
}

class Counts {
  rows = new Map();
  constructor(minutes) { this.minutes = minutes; }
  inside(minute) { return minute >= this.minutes[0] && minute < this.minutes[1]; }
  put(tenant, service, category, minute, figures) {
    if (!this.inside(minute)) return;
    const name = `${tenant} ${service} ${category}`;
    if (!this.rows.has(name)) this.rows.set(name, { tenant, service, category, minutes: new Map() });
    const { minutes } = this.rows.get(name);
    if (!minutes.has(minute)) minutes.set(minute, [0, 0, 0, 0, 0, 0, 0]);
    figures.forEach((figure, place) => { minutes.get(minute)[place] += figure; });
  }
  add(call, thresholds) {
    const minute = floorMinute(moment(call.at));
    if (!this.inside(minute)) return 0;
    if (call.kind === "call" && call.service && call.category) {
      const figures = asJudged(call.fault ?? "none", call.latency_us ?? 0, thresholds?.[call.category]);
      this.put(call.tenant, call.service, call.category, minute, [1, ...figures]);
    }
    return 1;
  }
  /** Take a corrected call out as it was and put it back as it is. */
  correct(one, thresholds) {
    const promised = thresholds?.[one.category];
    const [was, now] = [one.was, one.fault].map((fault) => asJudged(fault, one.latency, promised));
    const change = now.map((figure, place) => figure - was[place]);
    this.put(one.tenant, one.service, one.category, floorMinute(one.at), [0, ...change]);
  }
  difference(other) {
    for (const name of [...new Set([...this.rows.keys(), ...other.rows.keys()])].sort()) {
      const one = this.rows.get(name), two = other.rows.get(name), { tenant, service, category } = one ?? two;
      const [left, right] = [one, two].map((row) => new Map([...(row?.minutes ?? [])].filter(([, [calls]]) => calls)));
      for (const minute of [...new Set([...left.keys(), ...right.keys()])].sort((a, b) => a - b)) {
        const [a, b] = [left.get(minute) ?? [], right.get(minute) ?? []].map(String);
        if (a !== b) return [`${tenant} ${minute} ${service} ${category}`, a, b];
      }
    }
    return null;
  }
  evidence(inside, watched, works) {
    const counts = {}, calls = new Map(), spoken = {};
    for (const service of SERVICES) { counts[service] = new Map(); spoken[service] = new Set(); }
    for (const row of this.rows.values()) {
      const name = `${row.service} ${row.category}`;
      const total = calls.get(name) ?? { service: row.service, category: row.category, sums: Array(7).fill(0) };
      for (const [minute, figures] of row.minutes) {
        if (minute < inside[0] || minute >= inside[1] || !figures[0]) continue;
        const count = counts[row.service].get(minute) ?? [0, 0];
        counts[row.service].set(minute, [count[0] + figures[1], count[1] + figures[2]]);
        figures.forEach((figure, place) => { total.sums[place] += figure; });
        if (row.tenant === "probe") spoken[row.service].add(minute);
      }
      if (total.sums.some(Boolean)) calls.set(name, total);
    }
    const silent = {};
    for (const service of SERVICES) {
      silent[service] = new Set();
      const since = watched[service];
      if (since === undefined || ceilMinute(since) >= inside[1]) continue;
      for (const minute of each([Math.max(ceilMinute(since), inside[0]), inside[1]])) {
        if (!spoken[service].has(minute)) silent[service].add(minute);
      }
    }
    return { inside, counts, calls, silent, watched, works };
  }
}

// ---- judging

function termsOf(playbook, tier) {
  const { measurement } = playbook;
  return {
    method: playbook.tiers[tier].method,
    denominator: measurement.denominator,
    consecutive: measurement.consecutive,
    least: measurement.min_requests,
    threshold: shareOf(measurement.error_threshold),
    interval: Number(durationOf(measurement.interval) / MINUTE),
    silentBad: Number(MINUTE / durationOf(measurement.probe.interval)),
  };
}

function column(evidence, service, terms, notice) {
  const [valids, bads] = [new Map(), new Map()], { inside } = evidence;
  for (const [minute, [good, failed]] of evidence.counts[service]) {
    valids.set(minute, good);
    if (failed) bads.set(minute, failed);
  }
  const excluded = new Set();
  for (const work of evidence.works) {
    if (!inTime(work, notice) || !work.services.includes(service)) continue;
    for (const minute of each(clip(wholly(work.since, work.until), inside))) excluded.add(minute);
  }
  const silent = evidence.silent[service];
  if (!BY_MINUTE.has(terms.method)) {
    for (const minute of silent) {
      valids.set(minute, (valids.get(minute) ?? 0) + terms.silentBad);
      bads.set(minute, (bads.get(minute) ?? 0) + terms.silentBad);
    }
  }
  return { inside, valids, bads, silent, excluded };
}

const inTime = (work, notice) => notice !== null && work.cancelled === null && work.since - work.announced.at >= notice;
const without = (minutes, excluded) => new Set([...minutes].filter((minute) => !excluded.has(minute)));

function failing(one, terms) {
  const { n, d } = terms.threshold, found = [];
  for (const [minute, count] of one.bads) {
    const all = one.valids.get(minute);
    if (terms.method === "all-fail" ? count === all : all >= terms.least && BigInt(count) * d > BigInt(all) * n) {
      found.push(minute);
    }
  }
  if (terms.method === "all-fail") return new Set(found);
  const runs = [];
  for (const minute of found.sort((a, b) => a - b)) {
    if (runs.length && runs.at(-1).at(-1) === minute - 1) runs.at(-1).push(minute);
    else runs.push([minute]);
  }
  return new Set(runs.filter((run) => run.length >= terms.consecutive).flat());
}

function viewed(one, terms) {
  const byMinute = BY_MINUTE.has(terms.method), total = size(one.inside);
  const add = (counts, skipped) => [...counts].reduce((all, [minute, n]) => (skipped.has(minute) ? all : all + n), 0);
  const view = {
    total, excluded: one.excluded,
    valid: add(one.valids, terms.denominator === "full" ? new Set() : one.excluded), bad: add(one.bads, one.excluded),
    failed: byMinute ? without(failing(one, terms), one.excluded) : new Set(),
    silent: byMinute ? without(one.silent, one.excluded) : new Set(),
    intervals: new Set(), losses: new Map(),
  };
  if (terms.method !== "intervals") return view;
  const length = terms.interval, [first, end] = one.inside;
  const minutes = (number) => [...each(clip([number * length, number * length + length], one.inside))];
  for (const number of each([Math.floor(first / length), Math.ceil(end / length)])) {
    const some = minutes(number);
    const counts = terms.denominator === "full" || !one.excluded.size || some.some((m) => !one.excluded.has(m));
    if (counts) view.intervals.add(number);
  }
  for (const number of new Set([...one.bads.keys()].map((minute) => Math.floor(minute / length)))) {
    const tally = (counts, some) => some.reduce((n, minute) => n + (counts.get(minute) ?? 0), 0);
    const every = minutes(number), judged = every.filter((minute) => !one.excluded.has(minute));
    const failed = tally(one.bads, judged), all = tally(one.valids, terms.denominator === "full" ? every : judged);
    if (failed) view.losses.set(number, fraction(BigInt(failed), BigInt(all)));
  }
  return view;
}

const union = (sets) => new Set(sets.flatMap((set) => [...set]));

function judged(views, terms) {
  const total = Math.max(...views.map((view) => view.total));
  const excluded = [...views[0].excluded].filter((m) => views.every((view) => view.excluded.has(m))).length;
  const counted = terms.denominator === "full" ? total : total - excluded;
  const failed = union(views.map((view) => view.failed)), silent = union(views.map((view) => view.silent));
  const lost = union([failed, silent]).size;
  let share = WHOLE;
  if (BY_MINUTE.has(terms.method)) {
    if (counted) share = minus(WHOLE, fraction(BigInt(lost), BigInt(counted)));
  } else if (terms.method === "intervals") {
    const count = union(views.map((view) => view.intervals)).size, worst = new Map();
    for (const { losses } of views) {
      for (const [number, loss] of losses) {
        if (!worst.has(number) || below(worst.get(number), loss)) worst.set(number, loss);
      }
    }
    if (count) share = minus(WHOLE, over(sum([...worst.values()]), fraction(BigInt(count))));
  } else {
    const [all, failures] = ["valid", "bad"].map((name) => views.reduce((n, view) => n + view[name], 0));
    if (all) share = minus(WHOLE, fraction(BigInt(failures), BigInt(all)));
  }
  return { total, excluded, counted, failed, silent, lost, share };
}

function ruling(part, evidence, playbook, ahead) {
  const terms = termsOf(playbook, part.tier), notice = noticeOf(playbook), views = {};
  for (const service of SERVICES) views[service] = viewed(column(evidence, service, terms, notice), terms);
  const services = Object.fromEntries(SERVICES.map((name) => [name, judged([views[name]], terms)]));
  const uptime = shareOf(playbook.tiers[part.tier].uptime);
  return { part, evidence, terms, uptime, ahead, services, platform: judged(Object.values(views), terms) };
}

const noticeOf = (playbook) => (playbook.measurement.maintenance_excluded ? durationOf(playbook.maintenance.notice) : null);

// ---- stating

function figures(rulings) {
  return {
    ...worth(rulings.map((one) => ({ ...one, judged: one.platform }))),
    services: SERVICES.map((service) => {
      const watched = rulings.map((one) => one.evidence.watched[service])
        .filter((since, at) => since !== undefined && ceilMinute(since) < rulings[at].evidence.inside[1]);
      return {
        service,
        ...worth(rulings.map((one) => ({ ...one, judged: one.services[service] }))),
        watched_since: watched.length ? told(watched.reduce((a, b) => (b < a ? b : a))) : null,
      };
    }),
  };
}

function worth(shares) {
  const count = (name) => shares.reduce((all, one) => all + one.judged[name], 0);
  const lostOf = ({ judged: one }) => times(minus(WHOLE, one.share), fraction(BigInt(one.counted)));
  const allowedOf = (one, minutes) => times(minus(WHOLE, one.uptime), fraction(BigInt(minutes)));
  const lost = sum(shares.map(lostOf)), allowed = sum(shares.map((one) => allowedOf(one, one.judged.counted)));
  const later = plus(allowed, sum(shares.map((one) => allowedOf(one, one.ahead))));
  const counted = count("counted");
  const share = counted ? minus(WHOLE, over(lost, fraction(BigInt(counted)))) : null;
  const kept = shares.filter((one) => one.judged.counted).map((one) => !below(one.judged.share, one.uptime));
  const left = allowed.n ? minus(WHOLE, over(lost, allowed)) : lost.n ? NONE : WHOLE;
  return {
    minutes: {
      total: count("total"), excluded: count("excluded"), counted,
      unavailable: shares.every((one) => BY_MINUTE.has(one.terms.method)) ? count("lost") : null,
    },
    availability: percent(share),
    availability_fraction: ratio(share),
    met: kept.length ? kept.every(Boolean) : null,
    error_budget: {
      allowed_minutes: decimal(allowed), spent_minutes: decimal(lost),
      remaining_ratio: decimal(left), allowed_by_the_end: decimal(later),
    },
  };
}

/** What monthly fees come to over their spans: of each calendar month its share by time. */
function feeOf(part) {
  const purse = new Map();
  for (const fee of part.monthly_fees) {
    const since = moment(fee.since), until = moment(fee.until);
    let start = new Date(Number(since / 1000n)), total = NONE;
    let [year, month] = [start.getUTCFullYear(), start.getUTCMonth()];
    for (;;) {
      const [first, end] = [0, 1].map((on) => BigInt(Date.UTC(year, month + on)) * 1000n);
      if (first >= until) break;
      const length = (until < end ? until : end) - (since > first ? since : first);
      if (length > 0n) total = plus(total, times(exact(fee.amount), fraction(length, end - first)));
      month += 1;
    }
    purse.set(fee.currency, plus(purse.get(fee.currency) ?? NONE, total));
  }
  return purse;
}

function cents(figure) {
  const scaled = figure.n * 100n, whole = scaled / figure.d, twice = 2n * (scaled % figure.d);
  const up = twice > figure.d || (twice === figure.d && whole % 2n);
  const text = (up ? whole + 1n : whole).toString().padStart(3, "0");
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}

const amounts = (purse) => [...purse.keys()].sort().map((currency) => (
  { currency, amount: cents(purse.get(currency)), exact: `${purse.get(currency).n}/${purse.get(currency).d}` }));

function dueOf(one, playbook) {
  const ladder = playbook.tiers[one.part.tier].credits, { platform } = one;
  if (!platform.counted || !ladder?.length) return null;
  const step = ladder.find((s) => !below(platform.share, shareOf(s.at_least)) && below(platform.share, shareOf(s.below)));
  return step ? shareOf(step.credit) : NONE;
}

function creditOf(one, playbook) {
  const due = dueOf(one, playbook), purse = new Map();
  if (due !== null) for (const [currency, fee] of feeOf(one.part)) purse.set(currency, times(due, fee));
  return purse;
}

function partOf(one, playbook) {
  const { part } = one, due = dueOf(one, playbook), tier = playbook.tiers[part.tier];
  return {
    ...figures([one]),
    since: part.since, until: part.until, tier: part.tier, title: tier.title, method: tier.method,
    method_in_words: part.method_in_words,  // words, not figures: they are taken as told
    objective: percent(one.uptime),
    credit_percent: due === null ? null : decimal(times(due, fraction(100n))),
    monthly_fees: part.monthly_fees, fee: amounts(feeOf(part)), credit: amounts(creditOf(one, playbook)),
  };
}

function outages(one) {
  const down = new Map();
  for (const service of SERVICES) {
    for (const [cause, minutes] of [["errors", one.services[service].failed], ["silence", one.services[service].silent]]) {
      for (const minute of minutes) down.set(minute, [...(down.get(minute) ?? []), `${service} ${cause}`]);
    }
  }
  const found = [];
  for (const minute of [...down.keys()].sort((a, b) => a - b)) {
    const what = down.get(minute).join(), last = found.at(-1);
    if (last && last.end === minute && last.what === what) last.end += 1;
    else found.push({ first: minute, end: minute + 1, what });
  }
  return found.map(({ first, end, what }) => ({
    since: told(BigInt(first) * MINUTE), until: told(BigInt(end) * MINUTE), minutes: end - first,
    services: [...new Set(what.split(",").map((pair) => pair.split(" ")[0]))],
    causes: [...new Set(what.split(",").map((pair) => pair.split(" ")[1]))].sort(),
  }));
}

function latency(calls, playbook) {
  return CATEGORIES.filter((name) => playbook.latency[name]).flatMap((category) => {
    const some = calls.filter((one) => one.category === category);
    const all = some.reduce((n, one) => n + one.sums[3], 0);
    return Object.keys(PERCENTILES).map((percentile, at) => {
      const within = some.reduce((n, one) => n + one.sums[4 + at], 0);
      const share = all ? fraction(BigInt(within), BigInt(all)) : null;
      return {
        category, percentile, threshold_ms: Number(durationOf(playbook.latency[category][percentile])) / 1000,
        valid: all, within, attainment: percent(share),
        met: share === null || !below(share, fraction(...PERCENTILES[percentile])),
      };
    });
  });
}

/** Works as they were known when the statement was computed. */
function known(acts, settled, since, until) {
  const works = new Map(), off = new Map();
  for (const { number, entry } of acts) {
    const at = { at: moment(entry.at), entry: entry.id, number };
    if (entry.detail.act === "maintenance.cancel") { if (!off.has(entry.object)) off.set(entry.object, at); continue; }
    const { title, since: from, until: to, services } = entry.detail;
    const named = SERVICES.filter((name) => services === "all" || services.split(",").includes(name));
    works.set(entry.object, { id: entry.object, title, since: moment(from), until: moment(to), services: named, announced: at });
  }
  return [...works.values()]
    .map((work) => ({ ...work, cancelled: off.get(work.id) ?? null }))
    .map((work) => (work.cancelled && work.cancelled.at >= settled ? { ...work, cancelled: null } : work))
    .filter((work) => work.announced.at < settled && work.since < until && since < work.until)
    .sort((a, b) => Number(a.since - b.since) || Number(a.until - b.until) || (a.id < b.id ? -1 : 1));
}

/** Where the acts about planned work do not follow from each other, and why; each is bound to all before it. */
async function breaks(acts) {
  const found = [];
  let hash = new Uint8Array(32), place = 0, begun = false;
  for (const { entry, digest } of acts) {
    const { ordinal, previous } = entry.detail, due = String(++place);
    if (ordinal === undefined) {
      if (begun) found.push([entry.id, "it says nothing of its place among the acts"]);
    } else if (ordinal !== due) {
      found.push([`act ${due}`, `${entry.id} comes in its place, and is act ${ordinal.slice(0, 20)}`]);
    } else if (previous !== base64(hash)) {
      found.push([entry.id, "the acts before it are not those that it followed"]);
    }
    begun ||= ordinal !== undefined;
    hash = await sha256(hash, digest);
  }
  return found;
}

async function linkOf(acts) {
  let hash = new Uint8Array(32);
  for (const { digest } of acts) hash = await sha256(hash, digest);
  return { acts: acts.length, hash: base64(hash) };
}

const isTelling = (entry) => entry.kind === "notice" && entry.detail?.topic === "maintenance";
/** What an entry says of one subscriber having been told of planned work. */
function telling(number, entry) {
  const { about, type, notice, subscription, host, reason } = entry.detail;
  const [attempts, repeats] = [entry.detail.attempts, entry.detail.doubtful_repeats].map((digits) => (
    /^[0-9]+$/.test(digits ?? "") ? Number(digits) : undefined));
  if ([about, type, notice, subscription, host, attempts, repeats].includes(undefined)) {
    throw new Error(`${entry.id} tells of no delivery`);
  }
  return { work: about, type, outcome: notice, at: moment(entry.at), notice: entry.object ?? "", subscription, host,
    attempts, doubtful_repeats: repeats, reason: reason ?? null, entry: entry.id, number };
}

function maintenance(work, inside, playbook, notices) {
  const takes = inTime(work, noticeOf(playbook)), range = clip(wholly(work.since, work.until), inside);
  return {
    id: work.id, title: work.title, since: told(work.since), until: told(work.until), services: work.services,
    announced_at: told(work.announced.at), entry: work.announced.entry, number: work.announced.number,
    cancelled_at: work.cancelled && told(work.cancelled.at), cancel_entry: work.cancelled && work.cancelled.entry,
    cancel_number: work.cancelled && work.cancelled.number,
    late: work.since - work.announced.at < durationOf(playbook.maintenance.notice),
    outside_window: !covers(playbook.maintenance.window, work), excluded_minutes: takes ? size(range) : 0,
    notices: notices.filter((one) => one.work === work.id).map(({ work: _, at, ...one }) => ({ ...one, at: told(at) })),
  };
}

function covers(text, work) {
  const [, weekday, opens, closes] = /^(\w+) ([\d:]+)-([\d:]+) UTC$/.exec(text);
  const day = new Date(Number(work.since / 1000n));
  if (day.getUTCDay() !== WEEKDAYS.indexOf(weekday)) return false;
  const midnight = BigInt(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate())) * 1000n;
  const clock = (time) => { const [h, m] = time.split(":"); return midnight + BigInt(h) * UNITS.h + BigInt(m) * UNITS.m; };
  const ends = clock(closes) === midnight ? midnight + UNITS.d : clock(closes);
  return clock(opens) <= work.since && work.until <= ends;
}

/** Both outlooks of a span that is not over; the minutes to come are all counted. */
function projected(rulings, stated, playbook) {
  const last = rulings.at(-1), { platform } = last;
  if (moment(last.part.until) >= moment(stated.asked_until) || !platform.counted) return null;
  const lostOf = (one) => times(minus(WHOLE, one.share), fraction(BigInt(one.counted)));
  const lost = lostOf(platform), minutes = fraction(BigInt(platform.counted + last.ahead));
  const goesOn = over(times(lost, minutes), fraction(BigInt(platform.counted)));
  const outlook = (losing) => {
    const share = minus(WHOLE, over(losing, minutes)), closed = rulings.slice(0, -1);
    const all = sum([losing, ...closed.map((one) => lostOf(one.platform))]);
    const counted = sum([minutes, ...closed.map((one) => fraction(BigInt(one.platform.counted)))]);
    const kept = closed.filter((one) => one.platform.counted).every((one) => !below(one.platform.share, one.uptime));
    const fees = last.part.monthly_fees, present = fees.filter((fee) => fee.until === last.part.until)
      .map((fee) => ({ ...fee, since: last.part.until, until: stated.asked_until }));
    const part = { ...last.part, monthly_fees: [...fees, ...present] };
    const whole = { ...last, part, platform: { ...platform, share } }, due = dueOf(whole, playbook);
    const purse = new Map();
    for (const one of [...closed, whole]) {
      for (const [currency, some] of creditOf(one, playbook)) purse.set(currency, plus(purse.get(currency) ?? NONE, some));
    }
    return {
      availability: percent(minus(WHOLE, over(all, counted))), met: kept && !below(share, last.uptime),
      credit_percent: due === null ? null : decimal(times(due, fraction(100n))), credit: amounts(purse),
    };
  };
  return { until: stated.asked_until, minutes_ahead: last.ahead, if_nothing_more_fails: outlook(lost), if_it_goes_on: outlook(goesOn) };
}

const shared = (values) => (values.every((value) => value === values[0]) ? values[0] : null);

const agreement = ({ company, owner, product, updated, version }) => ({ company, owner, product, updated, version });
/** What statements did not say from the first. */
const ADDED = ["agreement", "planned_work", "projected"];
const AS_TOLD = ["tenant", "tenant_name", "month", "asked_since", "asked_until", "computed_at", "playbook"];
/** The statement that follows from the evidence; what no ledger proves is taken as told. */
async function restated(stated, counts, watched, acts, ledger, corrections, tellings, playbook) {
  const ends = stated.parts.at(-1).until, until = moment(ends), since = moment(stated.parts[0].since);
  const computed = moment(stated.computed_at) - durationOf(playbook.measurement.probe.interval);
  const settled = computed - (computed % MINUTE), toldOf = tellings.filter((one) => one.at < settled);
  const behind = moment(stated.asked_until) - until, ahead = behind > 0n ? Number(behind / MINUTE) : 0;
  const rulings = stated.parts.map((part) => {
    const [from, to] = [moment(part.since), moment(part.until)];
    const evidence = counts.evidence(startedIn(from, to), watched, known(acts, settled, from, to));
    return ruling(part, evidence, playbook, to === until ? ahead : 0);
  });
  const parts = rulings.map((one) => partOf(one, playbook)), inside = startedIn(since, until);
  const calls = new Map(), works = new Map(), credit = new Map();
  for (const one of rulings) {
    for (const work of one.evidence.works) if (!works.has(work.id)) works.set(work.id, work);
    for (const [currency, due] of creditOf(one, playbook)) credit.set(currency, plus(credit.get(currency) ?? NONE, due));
    for (const [name, some] of one.evidence.calls) {
      const total = calls.get(name) ?? { ...some, sums: Array(7).fill(0) };
      total.sums = total.sums.map((figure, place) => figure + some.sums[place]);
      calls.set(name, total);
    }
  }
  const pooled = [...calls.keys()].sort().map((name) => calls.get(name));
  return {
    ...Object.fromEntries(AS_TOLD.map((name) => [name, stated[name]])), ...figures(rulings), since: stated.parts[0].since, until: ends, parts, ledger,
    agreement: agreement(playbook.document), projected: projected(rulings, stated, playbook),
    so_far: until < moment(stated.asked_until), credit: amounts(credit),
    ...Object.fromEntries(["tier", "method", "method_in_words", "objective", "credit_percent"]
      .map((name) => [name, shared(parts.map((part) => part[name]))])),
    unavailable: rulings.flatMap(outages), latency: latency(pooled, playbook),
    amendments: corrections.map(corrected),
    maintenance: [...works.values()].map((work) => maintenance(work, inside, playbook, toldOf)),
    planned_work: await linkOf(acts.filter(({ entry }) => moment(entry.at) < settled)),
    calls: pooled.map(({ service, category, sums }) => (
      { service, category, calls: sums[0], valid: sums[1], bad: sums[2] })),
  };
}

function difference(left, right, place = "") {
  const plain = (value) => value !== null && typeof value === "object";
  if (Array.isArray(left) ? Array.isArray(right) && left.length === right.length
    : plain(left) && plain(right) && !Array.isArray(right)) {
    for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort((a, b) => (
      Array.isArray(left) ? a - b : a < b ? -1 : 1))) {
      const found = difference(left[key] ?? null, right[key] ?? null, place ? `${place}.${key}` : key);
      if (found) return found;
    }
    return null;
  }
  return JSON.stringify(left) === JSON.stringify(right) ? null : [place, left, right];
}

// ---- corrections of calls

/** What an entry of the kind `amendment` corrects. */
function amendment(number, made) {
  const { digest, at, judged_by: judgedBy, was, reason } = made.detail ?? {}, fault = made.fault ?? "none";
  const whole = made.service && made.category && digest && judgedBy && reason !== undefined;
  if (made.kind !== "amendment" || !whole || !FAULTS.has(was) || !FAULTS.has(fault)) throw new Error("it amends nothing");
  return {
    number, made, entry: made.object ?? "", digest, tenant: made.tenant, at: moment(at), service: made.service,
    category: made.category, latency: made.latency_us ?? 0, judgedBy, was, fault, reason,
  };
}

function repeats(one, call, playbook) {
  return one.tenant === call.tenant && one.at === moment(call.at) && one.service === call.service
    && one.category === call.category && one.latency === (call.latency_us ?? 0) && call.kind === "call"
    && one.judgedBy === playbook;
}

const corrected = (one) => ({
  tenant: one.tenant, entry: one.entry, at: told(one.at), was: one.was, fault: one.fault, reason: one.reason,
  amended_by: one.made.actor ?? "", amended_at: told(moment(one.made.at)), amendment: one.made.id, number: one.number,
});

// ---- reading

class Section {
  found = new Findings();
  tree = new Tree();
  numbers = new Map();
  first = 0;
  last = 0;
  inside = 0;
  batch = null;
  constructor(keys, head) { this.keys = keys; this.head = head; }

  async take(batch) {
    const before = this.batch, place = `batch ${batch.batch}`, { found } = this;
    this.batch = batch;
    if (!before) {
      const first = base64(new Uint8Array(32));
      if (batch.batch === 1 && batch.previous !== first) found.fail("chain", place, "the first batch names one before it");
    } else if (batch.batch === before.batch + 1) {
      if (batch.first_seq !== before.last_seq + 1) found.fail("sequence", place, "it starts elsewhere");
      const link = base64(await sha256(batchText(before)));
      if (batch.previous !== link) found.fail("chain", place, "it does not name the batch before it");
    } else if (this.head && batch.batch <= before.batch) found.fail("sequence", place, "it is out of order");
    if (batch.last_seq < batch.first_seq) found.fail("sequence", place, "it is empty");
    await this.keys.signed(batch, batchText(batch), place, found);
  }

  async entry(line) {
    const { found, batch } = this, place = `seq ${line.seq}`, raw = utf8(line.text), digest = await sha256(raw);
    if (base64(digest) !== line.digest) found.fail("bytes", place, "the bytes do not match their hash");
    const hash = await leaf(line.seq, line.number, digest);
    if (!batch || line.seq < batch.first_seq || line.seq > batch.last_seq) {
      found.fail("sequence", place, "it belongs to no batch that is here");
    } else if (!await includes(bytesOf(batch.root), line.seq - batch.first_seq, batch.last_seq - batch.first_seq + 1,
      hash, (line.path ?? []).map(bytesOf))) {
      found.fail("root", place, "its path does not lead to the signed root");
    }
    let entry = null;
    try {
      entry = JSON.parse(line.text);
      if (!isEntry(entry)) throw new Error("no entry");
    } catch {
      entry = null;
      found.fail("bytes", place, "it cannot be read");
    }
    const tenant = entry?.tenant ?? this.head?.tenant;
    if (tenant !== undefined) this.number(tenant, line.number, place);
    if (this.head) {
      await this.tree.add(hash);
      this.first ||= line.number;
      this.last = line.number;
    }
    return entry;
  }

  number(tenant, number, place) {
    const before = this.numbers.get(tenant);
    if (this.head && before !== undefined && number !== before + 1) {
      this.found.fail("numbering", place, `number ${number} where ${before + 1} is due`);
    }
    this.numbers.set(tenant, number);
  }
}

/** The batches around a month's start: they show which playbook was in force before it, and so judges it. */
class Turn {
  before = null;
  after = null;
  constructor(month, since) { this.month = month; this.since = since; }
  take(batch) {
    const { before, after } = this;
    if (moment(batch.at) < this.since) { if (!before || batch.batch > before.batch) this.before = batch; }
    else if (!after || batch.batch < after.batch) this.after = batch;
  }
  /** Why a playbook is not shown to judge the month; null where it is. */
  differs(playbook, over) {
    const { before, after, month } = this, judge = before ?? after;
    if (!after) {
      if (over) return `no batch shows which one judges ${month}`;
    } else if (after.batch !== (before ? before.batch + 1 : 1)) {
      return `the batch before ${month} is not here, which names the one that judges it`;
    }
    if (judge && judge.playbook !== playbook) return `${month} is judged by ${judge.playbook}, which batch ${judge.batch} names`;
    return null;
  }
}

/** The months that a span touches; none of an empty one. */
function turnsOf(since, until) {
  const start = new Date(Number(since / 1000n)), turns = [];
  for (let month = start.getUTCMonth(); since < until; month++) {
    const first = BigInt(Date.UTC(start.getUTCFullYear(), month)) * 1000n;
    if (first >= until) break;
    turns.push(new Turn(told(first).slice(0, 7), first));
  }
  return turns;
}

class Reading extends Keys {
  playbooks = new Map();
  whole = new Map();
  acts = [];
  tellings = [];
  corrections = [];
  corrected = new Map();
  held = new Set();
  watched = {};
  sealed = new Set();
  /** The minutes since the last seal: whose, and their lines. */
  run = null;
  minuteLines = [];
  entries = 0;
  batches = 0;
  section = null;

  constructor(stated) {
    super();
    this.stated = stated;
    this.whose = [stated.tenant, "probe"];
    this.bounds = [moment(stated.since), moment(stated.until)];
    this.turns = turnsOf(...this.bounds);
    this.told = new Counts(startedIn(...this.bounds));
    this.counts = new Counts(startedIn(...this.bounds));
  }

  async line(piece, raw, place) {
    switch (piece.type) {
      case "key": await this.take(piece); break;
      case "playbook": await this.playbook(piece); break;
      case "minutes": this.minutes(piece, raw); break;
      case "seal": await this.seal(piece); break;
      case "head": await this.head(piece); break;
      case "batch":
        this.batches += 1;
        for (const turn of this.turns) turn.take(piece);
        await this.open().take(piece);
        break;
      case "entry": await this.entry(piece); break;
      case "end":
        if (piece.batches !== this.batches || piece.entries !== this.entries) {
          this.fail("file", place, "lines are missing or too many");
        }
        return true;
      case "statement": this.fail("file", place, "a second statement"); break;
    }
    return false;
  }

  async head(head) {
    await this.close();
    this.section = new Section(this, head);
    if (this.whole.has(head.tenant)) this.fail("head", `head of ${head.tenant}`, "it is there twice");
    if (this.whose.includes(head.tenant)) this.whole.set(head.tenant, this.section);
    else this.fail("head", `head of ${head.tenant}`, "it is of another tenant");
  }

  /** The playbook that the statement is judged by, and its thresholds. */
  get judge() { return this.playbooks.get(this.stated.playbook); }

  open() { return (this.section ??= new Section(this, null)); }

  async playbook(piece) {
    if (hex(await sha256(utf8(piece.text))) !== piece.digest) {
      return this.fail("playbook", piece.digest, "its text does not match its digest");
    }
    try {
      const playbook = JSON.parse(piece.text);
      const thresholds = Object.fromEntries(Object.entries(playbook.latency)
        .map(([category, promised]) => [category, Object.keys(PERCENTILES).map((p) => durationOf(promised[p]))]));
      this.playbooks.set(piece.digest, { playbook, thresholds });
    } catch (error) {
      this.fail("playbook", piece.digest, `it cannot be read: ${error.message}`);
    }
  }

  minutes(piece, raw) {
    if (this.run !== null && this.run !== piece.tenant) this.closeMinutes();
    this.run = piece.tenant;
    this.minuteLines.push(raw);
    if (!this.whose.includes(piece.tenant)) return;
    const first = floorMinute(moment(piece.since));
    for (const [offset, ...some] of piece.counts) this.told.put(piece.tenant, piece.service, piece.category, first + offset, some);
  }

  async seal(seal) {
    const place = `minutes of ${seal.tenant}`;
    if (!this.whose.includes(seal.tenant)) this.fail("roll-up", place, "they are of another tenant");
    if (this.sealed.has(seal.tenant)) this.fail("roll-up", place, "they are sealed twice");
    if (this.run !== null && this.run !== seal.tenant) this.closeMinutes();
    const digest = base64(await sha256(utf8(this.minuteLines.map((raw) => `${raw}\n`).join(""))));
    if (seal.lines !== this.minuteLines.length || seal.digest !== digest) {
      this.fail("roll-up", place, "they are not those that were sealed");
    }
    if (span(seal) !== span(this.stated)) this.fail("roll-up", place, "their seal is of another span");
    await this.signed(seal, sealText(seal), place);
    this.sealed.add(seal.tenant);
    this.beginMinutes();
  }

  /** Find minutes that no seal of their tenant covers. */
  closeMinutes() {
    if (this.run !== null) this.fail("roll-up", `minutes of ${this.run}`, "no seal of their own covers them");
    this.beginMinutes();
  }

  beginMinutes() { [this.run, this.minuteLines] = [null, []]; }

  async entry(line) {
    const section = this.open();
    this.entries += 1;
    const entry = await section.entry(line);
    if (!entry) return;
    if (entry.tenant === "probe" && entry.kind === "call" && entry.service && moment(entry.at) < this.bounds[1]) {
      const at = BigInt(floorMinute(moment(entry.at))) * MINUTE;
      if (this.watched[entry.service] === undefined || at < this.watched[entry.service]) this.watched[entry.service] = at;
    }
    if (!section.head) {
      const said = entry.kind === "act" && entry.tenant === "platform" && entry.detail?.act;
      if (["maintenance.announce", "maintenance.cancel"].includes(said)) this.acts.push({ number: line.number, entry, digest: bytesOf(line.digest) });
      else if (isTelling(entry)) this.tell(line, entry);
      else if (entry.kind === "amendment") this.correct(line, entry);
      return;
    }
    if (entry.tenant !== section.head.tenant) this.fail("sequence", `seq ${line.seq}`, `it is of tenant ${entry.tenant}`);
    if (entry.tenant !== section.head.tenant || !this.whose.includes(entry.tenant)) return;
    if (!this.judge) this.fail("playbook", this.stated.playbook, "it is not in the bundle");
    section.inside += this.counts.add(entry, this.judge?.thresholds);
    this.hold(line, entry);
    if (isTelling(entry)) this.tell(line, entry);
  }

  /** Keep a delivery of the tenant's, once. */
  tell(line, entry) {
    if (entry.tenant !== this.whose[0] || this.tellings.some((one) => one.entry === entry.id)) return;
    try { this.tellings.push(telling(line.number, entry)); } catch (error) { this.fail("maintenance", entry.id, error.message); }
  }

  correct(line, made) {
    let one;
    try { one = amendment(line.number, made); } catch (error) { return this.fail("amendment", made.id, error.message); }
    if (!this.whose.includes(one.tenant)) return this.fail("amendment", made.id, "it is of another tenant");
    this.corrections.push(one);
    this.corrected.set(one.digest, [...(this.corrected.get(one.digest) ?? []), one]);
    this.counts.correct(one, this.judge?.thresholds);
  }

  /** Hold a call against its corrections, and a correction against those that came first. */
  hold(line, entry) {
    if (entry.kind === "amendment" && !this.corrections.some((one) => one.made.id === entry.id)) {
      let at = null;
      try { at = amendment(line.number, entry).at; } catch { /* it concerns no call of the span */ }
      if (at !== null && at >= this.bounds[0] && at < this.bounds[1]) {
        this.fail("amendment", entry.id, "it is not among the corrections that come first");
      }
    }
    const digest = hex(bytesOf(line.digest)), chain = this.corrected.get(digest);
    if (!chain) return;
    this.held.add(digest);
    if (!chain.every((one) => repeats(one, entry, this.stated.playbook))) {
      this.fail("amendment", entry.id, "its correction repeats it wrongly");
    } else if (chain.some((one, at) => one.was !== (at ? chain[at - 1].fault : entry.fault ?? "none"))) {
      this.fail("amendment", entry.id, "its corrections contradict it or each other");
    }
  }

  async close() {
    const { section } = this;
    this.section = null;
    if (!section) return;
    for (const one of section.found.failures.values()) this.fail(one.check, one.place, one.reason, one.times);
    const { head } = section;
    if (!head) return;
    const place = `head of ${head.tenant}`;
    if (span(head) !== span(this.stated)) this.fail("head", place, "it is of another span");
    if (section.first !== head.first_number || section.last !== head.last_number) {
      this.fail("head", place, `it names numbers ${head.first_number} to ${head.last_number}; here are ${section.first} to ${section.last}`);
    } else if (base64(await section.tree.root()) !== head.root) this.fail("head", place, "the entries do not give its root");
    else if (section.inside !== head.entries) this.fail("head", place, `${section.inside} lie in the span, not ${head.entries}`);
    await this.signed(head, headText(head), place);
  }

  async check() {
    const { whose } = this, drawn = this.whole.size > 0;
    for (const turn of this.turns) {
      const reason = turn.differs(this.stated.playbook, !this.stated.so_far);
      if (reason) this.fail("playbook", turn.month, reason);
    }
    if ("planned_work" in this.stated) for (const [place, reason] of await breaks(this.acts)) this.fail("maintenance", place, reason);
    if (drawn) {
      for (const one of this.corrections) {
        if (!this.held.has(one.digest)) this.fail("amendment", one.made.id, "the call that it corrects is not here");
      }
      for (const tenant of whose) if (!this.whole.has(tenant)) this.fail("head", `head of ${tenant}`, "it is missing");
      const found = this.told.difference(this.counts);
      if (found) this.fail("roll-up", found[0], `told ${found[1]}, counted ${found[2]}`);
    }
    for (const tenant of whose) if (!this.sealed.has(tenant)) this.fail("roll-up", `minutes of ${tenant}`, "their seal is missing");
    const known = this.judge;
    if (!known) return this.fail("playbook", this.stated.playbook, "it is not in the bundle");
    try {
      const again = drawn
        ? await restated(this.stated, this.counts, this.watched, this.acts, this.ranges(whose), this.corrections,
          this.tellings, known.playbook)
        : await restated(this.stated, this.told, watches(this.stated), this.acts, this.stated.ledger, this.corrections,
          this.tellings, known.playbook);
      // What an earlier version did not say yet is not asked of it.
      for (const member of ADDED) if (!(member in this.stated)) delete again[member];
      if (!("planned_work" in this.stated)) for (const work of again.maintenance) delete work.notices;
      const found = difference(this.stated, again);
      if (found) this.fail("figure", found[0], `stated ${JSON.stringify(found[1])}, recomputed ${JSON.stringify(found[2])}`);
    } catch (error) {
      this.fail("figure", "statement", `it cannot be computed again: ${error.message}`);
    }
  }

  ranges(whose) {
    return whose.map((tenant) => {
      const one = this.whole.get(tenant);
      return { tenant, first_number: one?.first || null, last_number: one?.last || null, entries: one?.inside ?? 0 };
    });
  }
}

const watches = (stated) => Object.fromEntries(stated.services
  .filter((one) => one.watched_since).map((one) => [one.service, moment(one.watched_since)]));

/** Check a bundle's text: what failed, and whether the figures were drawn from entries. */
export async function verified(text) {
  const [opening, ...rest] = text.split("\n");
  if (rest.at(-1) === "") rest.pop();
  let reading, first, stated;
  try {
    first = pieceOf(opening);
    if (first.type !== "statement") throw new Error("no statement");
    stated = statementOf(first);
    reading = new Reading(stated);
  } catch (error) {
    return { sound: false, drawn: "nothing", entries: 0, failures: [{ check: "file", place: "line 1", reason: `it is not a statement: ${error.message}` }] };
  }
  let ended = false;
  for (const [at, raw] of rest.entries()) {
    const place = `line ${at + 2}`;
    if (ended) { reading.fail("file", place, "something follows the end"); break; }
    try { ended = await reading.line(pieceOf(raw), raw, place); } catch (error) {
      if (error instanceof Unable) throw error;
      reading.fail("file", place, `it cannot be read: ${error.message}`);
    }
  }
  if (!ended) reading.fail("file", "end", "the file is cut short: its last line is missing");
  await reading.close();
  reading.closeMinutes();
  await reading.check();
  await reading.signed(first, utf8(`ai-agent-mesh statement v1\n${first.text}`), "statement");
  const failures = [...reading.failures.values()];
  return { sound: !failures.length, drawn: reading.whole.size ? "entries" : "minutes", entries: reading.entries,
    keys: [...reading.signers.values()], failures };
}

const LARGEST = 256 * 1024 * 1024;
/** The text of the bundle that a page carries; what unpacks to more than LARGEST is none. */
async function unpacked(carried) {
  const stream = new Blob([bytesOf(carried.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  const found = [];
  let size = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(found).text();
    size += value.length;
    if (size > LARGEST) { await reader.cancel(); throw new Error("it is too much for a page"); }
    found.push(value);
  }
}

function able() {
  if (!globalThis.crypto?.subtle) throw new Unable("this browser has no WebCrypto here");
  if (!globalThis.DecompressionStream) throw new Unable("this browser cannot unpack gzip");
}

const CAUSES = { errors: "too many calls failed by our fault", silence: "the probe left no entry" };
const marked = (word) => (value) => (value ? `, ${word}` : "");
/** How the page words what is no plain figure. */
const WORDED = {
  moment: (at) => (at === null ? "not watched" : `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`),
  kept: (met) => (met === null ? "-" : met ? "✓ met" : "✗ missed"),
  names: (names) => names.join(", "),
  causes: (causes) => causes.map((cause) => CAUSES[cause]).join(" and "),
  ...Object.fromEntries(["so far", "cancelled", "too late", "outside the usual window"].map((word) => [word, marked(word)])),
};

/** The first figure on the page that is not the one of the statement that it carries. */
function misprint(stated) {
  for (const one of document.querySelectorAll("[data-figure]")) {
    const path = one.dataset.figure, value = path.split(".").reduce((part, key) => part?.[key], stated);
    const word = WORDED[one.dataset.as], due = word ? word(value ?? null) : String(value ?? "-");
    if (one.textContent !== due) return path;
  }
  return null;
}

/** Check what this page carries, and say so on it. */
async function show(carried) {
  const place = document.getElementById("verdict"), words = document.getElementById("verdict-words");
  const say = (state, title, more) => {
    place.className = state;
    place.querySelector("strong").textContent = title;
    words.textContent = more;
  };
  try {
    able();
    const bundle = await unpacked(carried.textContent), verdict = await verified(bundle);
    if (!verdict.sound) {
      const [one] = verdict.failures;
      return say("broken", "✗ Not proven", `${one.check} at ${one.place}: ${one.reason}.`);
    }
    const stated = JSON.parse(JSON.parse(bundle.split("\n", 1)[0]).text), shown = misprint(stated);
    if (shown) return say("broken", "✗ Not proven", `This page does not show what it carries: ${shown}.`);
    const grounds = verdict.drawn === "entries" ? `${verdict.entries} ledger entries`
      : "the signed minutes (the entries are too many for a page; the operators' mesh sla statement --bundle holds all)";
    say("sound", "✓ Proven", `Every figure was computed again from ${grounds}, on this machine, just now. `
      + `Signed with the public key ${verdict.keys.join(", ")}: compare it with the one that you know.`);
  } catch (error) {
    if (!(error instanceof Unable)) return say("broken", "✗ Not proven", `file at evidence: it cannot be read: ${error.message}.`);
    say("unknown", "? Cannot be checked here", `${error.message}. Use: mesh sla verify FILE.`);
  }
}

const carried = globalThis.document?.getElementById("evidence");
if (carried) await show(carried);

// What a line of a bundle may be: the shapes that the command line reads, and nothing else.

const text = (value) => typeof value === "string";
const whole = (value) => Number.isSafeInteger(value) && value >= 0;
const inHour = (value) => whole(value) && value < 60;
const oneOf = (names) => (value) => names.includes(value);
const orNone = (shape) => (value) => value === null || value === undefined || shape(value);
const orNull = (shape) => (value) => value === null || shape(value);
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
  statement: shaped({ text, ...signedBy, version: (version) => version === 1 }),
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
  incidents: (said) => said === undefined || listOf(shaped({
    id: text, title: text, severity: text, services: listOf(text), began_at: instant, resolved_at: orNull(instant),
    cause: orNull(text),
  }))(said),
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
  if (canonical(stated) !== first.text) throw new Error("its text is not in canonical form");
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

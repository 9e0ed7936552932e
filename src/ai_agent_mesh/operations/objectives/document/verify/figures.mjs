// Exact figures: fractions of whole numbers, and moments in microseconds since 1970.

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

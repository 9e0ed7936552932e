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

// Bytes, hashes and the paths of a Merkle tree.

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

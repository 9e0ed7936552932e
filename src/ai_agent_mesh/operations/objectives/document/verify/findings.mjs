// What is found wrong, by whose signature, and what this browser cannot do.

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

/** The first place where two figures differ, and both of them; null where none does. */
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

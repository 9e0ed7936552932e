// What all of it comes to, and what the page says of it.

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
  ended: (at) => (at === null ? "open" : WORDED.moment(at)),
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

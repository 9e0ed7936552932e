// What a statement tells without proof must at least hang together: its form, its spans, its acts.

/** A value in the one way of saying it: keys sorted, whole numbers wherever they can be. */
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!object(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
};

/** Up to when minutes and acts had settled when the statement was computed. */
function settledUntil(stated, playbook) {
  const computed = moment(stated.computed_at) - durationOf(playbook.measurement.probe.interval);
  return computed - (computed % MINUTE);
}

/** The first end of a span that is not where it must be: so no minute can be left out between parts. */
function misspanned(stated, playbook) {
  const [from, to] = [moment(stated.asked_since), moment(stated.asked_until)], least = (a, b) => (a < b ? a : b);
  const most = (a, b) => (a > b ? a : b), ends = [];
  if (stated.month !== null) {
    const found = /^([0-9]{4})-(0[1-9]|1[0-2])$/.exec(stated.month);
    if (!found) throw new Error(`${stated.month} is no month`);
    const first = (on) => BigInt(Date.UTC(Number(found[1]), Number(found[2]) - 1 + on)) * 1000n;
    ends.push(["asked_since", from, first(0)], ["asked_until", to, first(1)]);
  }
  if (to < from) throw new Error("it ends before it begins");
  const begun = most(from, moment(stated.since)), since = BigInt(ceilMinute(begun)) * MINUTE;
  const end = most(begun, least(to, settledUntil(stated, playbook)));
  ends.push(["since", moment(stated.since), since]);
  ends.push(["until", moment(stated.until), most(since, BigInt(floorMinute(end)) * MINUTE)]);
  let follows = moment(stated.since), tier = null;
  for (const [at, part] of stated.parts.entries()) {
    ends.push([`parts.${at}.since`, moment(part.since), follows]);
    if (part.tier === tier) return [`parts.${at}.tier`, part.tier, "another than before"];
    [follows, tier] = [moment(part.until), part.tier];
  }
  ends.push([`parts.${stated.parts.length - 1}.until`, follows, moment(stated.until)]);
  const found = ends.find(([, one, due]) => one !== due);
  return found ? [found[0], told(found[1]), told(found[2])] : null;
}

const ACT_OF = { "maintenance.announce": "maintenance.announced", "maintenance.cancel": "maintenance.cancelled" };
/** What speaks against acts about planned work: signed too late, or told of and not here. */
function doubtful(acts, tellings, settled, notice) {
  const found = [], known = new Set();
  for (const { entry, signed } of acts) {
    const { act, since } = entry.detail;
    known.add(`${ACT_OF[act]} ${entry.object ?? null}`);
    if (act !== "maintenance.announce" || !signed || notice === null || !instant(since)) continue;
    const begins = moment(since);
    if (begins - moment(entry.at) >= notice && signed >= begins) found.push([entry.id, "it was signed only when the work had begun"]);
  }
  for (const one of tellings) {
    if (one.at < settled && Object.values(ACT_OF).includes(one.type) && !known.has(`${one.type} ${one.work}`)) {
      found.push([one.entry, "it tells of an act that is not here"]);
    }
  }
  return found;
}

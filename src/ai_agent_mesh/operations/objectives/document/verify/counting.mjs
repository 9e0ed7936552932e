// How calls count, and how a person's correction changes that.

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

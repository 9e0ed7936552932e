// From counts to unavailable minutes, by a named method.

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

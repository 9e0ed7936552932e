// The statement that follows from what was judged.

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

/** An incident as it was told: no call proves it. */
const incident = ({ id, title, severity, services, began_at, resolved_at, cause }) => (
  { id, title, severity, services, began_at: told(moment(began_at)),
    resolved_at: resolved_at === null ? null : told(moment(resolved_at)), cause });

/** The incidents that hurt one of an outage's services at any time of it. */
const behind = (outage, said) => said.filter((one) => moment(one.began_at) < outage.until
  && (one.resolved_at === null || moment(one.resolved_at) > outage.since)
  && one.services.some((service) => outage.services.includes(service))).map(({ id, title }) => ({ id, title }));

function outages(one, said) {
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
  return found.map(({ first, end, what }) => {
    const [since, until] = [BigInt(first) * MINUTE, BigInt(end) * MINUTE];
    const services = [...new Set(what.split(",").map((pair) => pair.split(" ")[0]))];
    return {
      since: told(since), until: told(until), minutes: end - first, services,
      causes: [...new Set(what.split(",").map((pair) => pair.split(" ")[1]))].sort(),
      ...(said ? { incidents: behind({ since, until, services }, said) } : {}),
    };
  });
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
const ADDED = ["agreement", "incidents", "planned_work", "projected"];
const AS_TOLD = ["tenant", "tenant_name", "month", "asked_since", "asked_until", "computed_at", "playbook"];
/** The statement that follows from the evidence; what no ledger proves is taken as told. */
async function restated(stated, counts, watched, acts, ledger, corrections, tellings, playbook) {
  const ends = stated.parts.at(-1).until, until = moment(ends), since = moment(stated.parts[0].since);
  const settled = settledUntil(stated, playbook), toldOf = tellings.filter((one) => one.at < settled);
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
    unavailable: rulings.flatMap((one) => outages(one, stated.incidents)), latency: latency(pooled, playbook),
    amendments: corrections.map(corrected), incidents: stated.incidents?.map(incident),
    maintenance: [...works.values()].map((work) => maintenance(work, inside, playbook, toldOf)),
    planned_work: await linkOf(acts.filter(({ entry }) => moment(entry.at) < settled)),
    calls: pooled.map(({ service, category, sums }) => (
      { service, category, calls: sums[0], valid: sums[1], bad: sums[2] })),
  };
}

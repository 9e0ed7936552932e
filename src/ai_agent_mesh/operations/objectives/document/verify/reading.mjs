// A whole bundle, line by line.

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
  toldBy = new Set();
  corrections = [];
  correctedBy = new Set();
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
      if (["maintenance.announce", "maintenance.cancel"].includes(said)) this.acts.push({ number: line.number, entry, digest: bytesOf(line.digest), signed: section.batch && moment(section.batch.at) });
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
    if (entry.tenant !== this.whose[0] || this.toldBy.has(entry.id)) return;
    this.toldBy.add(entry.id);
    try { this.tellings.push(telling(line.number, entry)); } catch (error) { this.fail("maintenance", entry.id, error.message); }
  }

  correct(line, made) {
    let one;
    try { one = amendment(line.number, made); } catch (error) { return this.fail("amendment", made.id, error.message); }
    if (!this.whose.includes(one.tenant)) return this.fail("amendment", made.id, "it is of another tenant");
    this.corrections.push(one);
    this.correctedBy.add(made.id);
    this.corrected.set(one.digest, [...(this.corrected.get(one.digest) ?? []), one]);
    this.counts.correct(one, this.judge?.thresholds);
  }

  /** Hold a call against its corrections, and a correction against those that came first. */
  hold(line, entry) {
    if (entry.kind === "amendment" && !this.correctedBy.has(entry.id)) {
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
      const amiss = misspanned(this.stated, known.playbook), again = drawn
        ? await restated(this.stated, this.counts, this.watched, this.acts, this.ranges(whose), this.corrections,
          this.tellings, known.playbook)
        : await restated(this.stated, this.told, watches(this.stated), this.acts, this.stated.ledger, this.corrections,
          this.tellings, known.playbook);
      // What an earlier version did not say yet is not asked of it.
      for (const member of ADDED) if (!(member in this.stated)) delete again[member];
      if (!("planned_work" in this.stated)) for (const work of again.maintenance) delete work.notices;
      if ("planned_work" in this.stated) {
        const settled = settledUntil(this.stated, known.playbook), notice = noticeOf(known.playbook);
        for (const [place, reason] of doubtful(this.acts, this.tellings, settled, notice)) this.fail("maintenance", place, reason);
      }
      const found = amiss ?? difference(this.stated, again);
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

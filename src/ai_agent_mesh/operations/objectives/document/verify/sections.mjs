// One tenant's entries as they come: their bytes, numbers and tree.

class Section {
  found = new Findings();
  tree = new Tree();
  numbers = new Map();
  first = 0;
  last = 0;
  inside = 0;
  batch = null;
  constructor(keys, head) { this.keys = keys; this.head = head; }

  async take(batch) {
    const before = this.batch, place = `batch ${batch.batch}`, { found } = this;
    this.batch = batch;
    if (!before) {
      const first = base64(new Uint8Array(32));
      if (batch.batch === 1 && batch.previous !== first) found.fail("chain", place, "the first batch names one before it");
    } else if (batch.batch === before.batch + 1) {
      if (batch.first_seq !== before.last_seq + 1) found.fail("sequence", place, "it starts elsewhere");
      const link = base64(await sha256(batchText(before)));
      if (batch.previous !== link) found.fail("chain", place, "it does not name the batch before it");
    } else if (this.head && batch.batch <= before.batch) found.fail("sequence", place, "it is out of order");
    if (batch.last_seq < batch.first_seq) found.fail("sequence", place, "it is empty");
    await this.keys.signed(batch, batchText(batch), place, found);
  }

  async entry(line) {
    const { found, batch } = this, place = `seq ${line.seq}`, raw = utf8(line.text), digest = await sha256(raw);
    if (base64(digest) !== line.digest) found.fail("bytes", place, "the bytes do not match their hash");
    const hash = await leaf(line.seq, line.number, digest);
    if (!batch || line.seq < batch.first_seq || line.seq > batch.last_seq) {
      found.fail("sequence", place, "it belongs to no batch that is here");
    } else if (!await includes(bytesOf(batch.root), line.seq - batch.first_seq, batch.last_seq - batch.first_seq + 1,
      hash, (line.path ?? []).map(bytesOf))) {
      found.fail("root", place, "its path does not lead to the signed root");
    }
    let entry = null;
    try {
      entry = JSON.parse(line.text);
      if (!isEntry(entry)) throw new Error("no entry");
    } catch {
      entry = null;
      found.fail("bytes", place, "it cannot be read");
    }
    const tenant = entry?.tenant ?? this.head?.tenant;
    if (tenant !== undefined) this.number(tenant, line.number, place);
    if (this.head) {
      await this.tree.add(hash);
      this.first ||= line.number;
      this.last = line.number;
    }
    return entry;
  }

  number(tenant, number, place) {
    const before = this.numbers.get(tenant);
    if (this.head && before !== undefined && number !== before + 1) {
      this.found.fail("numbering", place, `number ${number} where ${before + 1} is due`);
    }
    this.numbers.set(tenant, number);
  }
}

/** Which leader epoch wrote which offsets of a partition (KIP-101, KIP-320). */
export class LeaderEpochs {
  /** Each epoch that wrote something, and the current one, with their first offsets; ascending. */
  readonly #list: { readonly epoch: number; startOffset: number }[] = []

  /** Records that an epoch writes from an offset on. */
  wrote(epoch: number, offset: number): void {
    if (epoch <= (this.#list.at(-1)?.epoch ?? -1)) return
    // An epoch that wrote nothing leaves no trace.
    while ((this.#list.at(-1)?.startOffset ?? -1) >= offset) this.#list.pop()
    this.#list.push({ epoch, startOffset: offset })
  }

  /** The epoch that wrote the record at an offset, or would be its epoch; -1 when nothing was written. */
  at(offset: number): number {
    return this.#list.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1
  }

  /** Where an epoch ended: the largest epoch up to it that wrote something, and the offset after its last record. */
  endOf(epoch: number, logEndOffset: number): { readonly epoch: number; readonly endOffset: number } {
    const last = this.#list.at(-1)
    if (last === undefined || epoch < 0 || epoch > last.epoch) return { epoch: -1, endOffset: -1 }
    if (epoch === last.epoch) return { epoch, endOffset: logEndOffset }
    const next = this.#list.findIndex((entry) => entry.epoch > epoch)
    const found = this.#list[next - 1]
    return { epoch: found?.epoch ?? epoch, endOffset: this.#list[next]!.startOffset }
  }

  /** Forgets epochs that ended before the log begins. */
  truncateBefore(offset: number): void {
    while (this.#list.length > 1 && this.#list[1]!.startOffset <= offset) this.#list.shift()
    const first = this.#list[0]
    if (first !== undefined && first.startOffset < offset) first.startOffset = offset
  }
}

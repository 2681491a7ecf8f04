/**
 * Acknowledgements: how a batch reports to its source that it is done, how that is split by offset, and how several
 * deliveries share one.
 *
 * An acknowledgement covers a run of offsets of one partition. Where the source tracks offsets it can be split, so that a part
 * of a batch counts without the rest. May import nothing of ours.
 */

/** Reports to the source that all records of a batch have been delivered or disposed of (I1). */
export interface Acknowledgement {
  /** May be called several times; the first counts. Does nothing after the partition was revoked (I3). */
  ack(): void
  /**
   * Two acknowledgements in place of this one: for the records before an offset, and for those from it on. Each counts
   * separately; this one then covers both. Missing where the source tracks whole batches only; see `splitAt`.
   */
  split?(offset: number): AcknowledgementParts
  /** Whether the partition was revoked or lost, so that another consumer may own its records (I3). */
  readonly isVoid?: boolean
}

export type AcknowledgementParts = readonly [before: Acknowledgement, from: Acknowledgement]

/** For batches that nothing waits for: made-up records, or offsets that nothing tracks. */
export const NO_ACKNOWLEDGEMENT: Acknowledgement = { ack() {} }

/** Splits an acknowledgement before an offset. One that cannot be split is acknowledged when both parts are. */
export function splitAt(acknowledgement: Acknowledgement, offset: number): AcknowledgementParts {
  if (acknowledgement.split !== undefined) return acknowledgement.split(offset)
  const whole = new SharedAcknowledgement([acknowledgement])
  const parts = [whole.share(), whole.share()] as const
  whole.release()
  return parts
}

/** An acknowledgement that can be split, at several offsets one after the other. */
export abstract class DivisibleAcknowledgement implements Acknowledgement {
  #divided: Divided | undefined

  abstract get isVoid(): boolean
  /** Acknowledges all that it covers, while it was not split. */
  protected abstract acknowledge(): void
  /** Makes the two parts of an acknowledgement that was not split before. */
  protected abstract divide(offset: number): AcknowledgementParts

  ack(): void {
    if (this.#divided === undefined) this.acknowledge()
    else this.#divided.ack()
  }

  split(offset: number): AcknowledgementParts {
    if (this.#divided !== undefined) return this.#divided.split(offset)
    const [before, from] = this.divide(offset)
    this.#divided = new Divided(before, from, offset)
    return [before, from]
  }
}

/** Two neighbouring acknowledgements as one. */
class Divided implements Acknowledgement {
  readonly #before: Acknowledgement
  readonly #from: Acknowledgement
  readonly #at: number

  constructor(before: Acknowledgement, from: Acknowledgement, at: number) {
    this.#before = before
    this.#from = from
    this.#at = at
  }

  get isVoid(): boolean {
    return this.#before.isVoid === true
  }

  ack(): void {
    this.#before.ack()
    this.#from.ack()
  }

  split(offset: number): AcknowledgementParts {
    if (offset === this.#at) return [this.#before, this.#from]
    if (offset < this.#at) {
      const [before, between] = splitAt(this.#before, offset)
      return [before, new Divided(between, this.#from, this.#at)]
    }
    const [between, from] = splitAt(this.#from, offset)
    return [new Divided(this.#before, between, this.#at), from]
  }
}

/** Acknowledges another one, and calls a function once when all of it is acknowledged. */
export class WatchedAcknowledgement extends DivisibleAcknowledgement {
  readonly #target: Acknowledgement
  readonly #done: () => void
  #isDone = false

  constructor(target: Acknowledgement, done: () => void) {
    super()
    this.#target = target
    this.#done = done
  }

  get isVoid(): boolean {
    return this.#target.isVoid === true
  }

  protected acknowledge(): void {
    this.#target.ack()
    if (this.#isDone) return
    this.#isDone = true
    this.#done()
  }

  protected divide(offset: number): AcknowledgementParts {
    if (this.#isDone) return [NO_ACKNOWLEDGEMENT, NO_ACKNOWLEDGEMENT]
    let open = 2
    const partDone = (): void => {
      if (--open === 0) this.#done()
    }
    const [before, from] = splitAt(this.#target, offset)
    return [new WatchedAcknowledgement(before, partDone), new WatchedAcknowledgement(from, partDone)]
  }
}

/** What shares have in common, for a run of offsets. */
interface SharedPart {
  /** The offset after the run; `Infinity` for the last one. */
  end: number
  targets: readonly Acknowledgement[]
  /** Shares that are not acknowledged, and the owner until it releases. */
  open: number
  next: SharedPart | undefined
}

/**
 * One acknowledgement for several deliveries: a batch that goes several ways, or several batches that became one.
 * Acknowledges its targets when its owner has released it and every share has been acknowledged (I1). Where a single target can
 * be split, so can the shares; each run of offsets then counts separately.
 */
export class SharedAcknowledgement {
  readonly #first: SharedPart

  constructor(targets: readonly Acknowledgement[]) {
    this.#first = { end: Infinity, targets, open: 1, next: undefined }
  }

  /** One more that has to be acknowledged. */
  share(): Acknowledgement {
    for (let part: SharedPart | undefined = this.#first; part !== undefined; part = part.next) part.open++
    const { targets } = this.#first
    return targets.length === 1 && targets[0]!.split !== undefined
      ? new DivisibleShare(this.#first, Infinity)
      : new Share(this.#first)
  }

  /** No more shares will be taken. Called once. */
  release(): void {
    closeUntil(this.#first, Infinity)
  }
}

/** One share less of the parts from this one up to an offset. */
function closeUntil(first: SharedPart, end: number): void {
  for (let part: SharedPart | undefined = first; part !== undefined; part = part.next) {
    part.open--
    if (part.open === 0) for (const target of part.targets) target.ack()
    if (part.end >= end) return
  }
}

/** The part that begins at an offset, cut off from the one that holds it. */
function partFrom(first: SharedPart, offset: number): SharedPart {
  let part = first
  while (part.end < offset) part = part.next!
  if (part.end === offset) return part.next!
  const [before, from] = splitAt(part.targets[0]!, offset)
  const next: SharedPart = { end: part.end, targets: [from], open: part.open, next: part.next }
  part.targets = [before]
  part.end = offset
  part.next = next
  return next
}

class Share implements Acknowledgement {
  readonly #part: SharedPart
  #isAcknowledged = false

  constructor(part: SharedPart) {
    this.#part = part
  }

  get isVoid(): boolean {
    return this.#part.targets.some((target) => target.isVoid === true)
  }

  ack(): void {
    if (this.#isAcknowledged) return
    this.#isAcknowledged = true
    closeUntil(this.#part, Infinity)
  }
}

class DivisibleShare extends DivisibleAcknowledgement {
  readonly #first: SharedPart
  readonly #end: number
  #isAcknowledged = false

  constructor(first: SharedPart, end: number) {
    super()
    this.#first = first
    this.#end = end
  }

  get isVoid(): boolean {
    return this.#first.targets[0]!.isVoid === true
  }

  protected acknowledge(): void {
    if (this.#isAcknowledged) return
    this.#isAcknowledged = true
    closeUntil(this.#first, this.#end)
  }

  protected divide(offset: number): AcknowledgementParts {
    // What was acknowledged before is so in both parts.
    if (this.#isAcknowledged) return [NO_ACKNOWLEDGEMENT, NO_ACKNOWLEDGEMENT]
    return [new DivisibleShare(this.#first, offset), new DivisibleShare(partFrom(this.#first, offset), this.#end)]
  }
}

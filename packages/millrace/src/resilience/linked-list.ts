/**
 * Things that come and go all the time, in the order in which they came, each of which knows its neighbours.
 *
 * A `Set` would do, but it leaves tables behind that point to their successors. One that has become old keeps all later ones, and what
 * was in them, until the next whole garbage collection: each small collection then copies megabytes, and the program stands still for
 * milliseconds. What leaves this list points to nothing.
 */
export interface Linked<T> {
  /** Belongs to the list. */
  before: T | undefined
  /** Belongs to the list. */
  after: T | undefined
}

export class LinkedList<T extends Linked<T>> {
  #first: T | undefined
  #last: T | undefined

  /** The oldest one; `after` leads to the others. */
  get first(): T | undefined {
    return this.#first
  }

  /** Puts one at the end that is in no list. */
  add(item: T): void {
    item.before = this.#last
    if (this.#last === undefined) this.#first = item
    else this.#last.after = item
    this.#last = item
  }

  /** Takes one out; no harm is done when it is out already. */
  delete(item: T): void {
    const { before, after } = item
    if (before === undefined && this.#first !== item) return
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    item.before = undefined
    item.after = undefined
  }

  /** Those of this moment, the oldest first. */
  all(): T[] {
    const items: T[] = []
    for (let item = this.#first; item !== undefined; item = item.after) items.push(item)
    return items
  }
}

/**
 * Values that came before in a run, so that one that comes again can be told. A set keeps the order in which they came,
 * which makes it cheap to mark a place and to forget what came later.
 */
export class RememberedValues {
  readonly #values = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  has(value: string): boolean {
    return this.#values.has(value)
  }
  get isFull(): boolean {
    return this.#values.size >= this.#most
  }
  add(value: string): void {
    this.#values.add(value)
  }

  /** @returns forgets what was added since */
  mark(): () => void {
    const { size } = this.#values
    return () => {
      for (const value of [...this.#values].slice(size)) this.#values.delete(value)
    }
  }
}

/**
 * Values that came before in a run, so that one that comes again can be told. A set keeps the order in which they came,
 * which makes it cheap to mark a place and to forget what came later.
 */
export class RememberedValues {
  readonly #values = new Set<string>()
  readonly #most: number
  readonly #mostCharacters: number
  #characters = 0

  constructor(most: number, mostCharacters = Infinity) {
    this.#most = most
    this.#mostCharacters = mostCharacters
  }

  has(value: string): boolean {
    return this.#values.has(value)
  }
  /** Which limit is reached. */
  get isFull(): 'values' | 'characters' | undefined {
    if (this.#values.size >= this.#most) return 'values'
    return this.#characters >= this.#mostCharacters ? 'characters' : undefined
  }
  add(value: string): void {
    this.#values.add(value)
    this.#characters += value.length
  }

  /** @returns forgets what was added since */
  mark(): () => void {
    const { size } = this.#values
    const characters = this.#characters
    return () => {
      for (const value of [...this.#values].slice(size)) this.#values.delete(value)
      this.#characters = characters
    }
  }
}

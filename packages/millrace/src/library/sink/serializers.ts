/** How values become bytes: the interface, and JSON. */

/** Turns a value into bytes. Text is written as UTF-8. */
export interface MessageSerializer<T> {
  /** Written as the header `content-type` of every record whose value it serialized. */
  readonly contentType: string
  /**
   * Never called with null. What it throws fails the record with `ENCODE_FAILED`. While a promise is pending, later records wait, so that
   * order is kept.
   * @param topic to which the record goes; undefined when neither record nor sink names one
   */
  serialize(value: T, topic: string | undefined): Uint8Array | string | Promise<Uint8Array | string>
}

/** JSON as `JSON.stringify` writes it: text becomes a JSON string, in quotes. */
export class JsonSerializer<T = unknown> implements MessageSerializer<T> {
  /** `application/json` */
  readonly contentType = 'application/json'
  /** @throws {TypeError} for what has no JSON, such as a BigInt or a cycle */
  serialize(value: T): string {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw new TypeError(`a value of type ${typeof value} has no JSON`)
    return text
  }
}

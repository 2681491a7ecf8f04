/** Reads Avro's binary encoding by the JSON of a schema, on its own, so that tests of the encoder do not depend on ours. */

type Schema = string | readonly Schema[] | { readonly [attribute: string]: unknown }

/** @returns plain values; 64-bit integers as `bigint` where a number is not exact */
export function decodeAvro(schema: unknown, bytes: Buffer): unknown {
  const decoder = new Decoder(bytes)
  const value = decoder.read(schema as Schema, '')
  if (decoder.position !== bytes.length) throw new Error(`${bytes.length - decoder.position} bytes are left`)
  return value
}

class Decoder {
  readonly #bytes: Buffer
  readonly #named = new Map<string, Schema>()
  position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  read(schema: Schema, namespace: string): unknown {
    if (Array.isArray(schema)) return this.read((schema as readonly Schema[])[Number(this.#long())]!, namespace)
    if (typeof schema === 'string') {
      const named = this.#named.get(schema.includes('.') ? schema : [namespace, schema].filter(Boolean).join('.'))
      return named === undefined ? this.#primitive(schema) : this.read(named, namespace)
    }
    const { type, name } = schema as { readonly type: Schema; readonly name?: string }
    const fullName = name === undefined ? '' : name.includes('.') ? name : [namespace, name].filter(Boolean).join('.')
    if (fullName !== '') this.#named.set(fullName, schema)
    const within = fullName === '' ? namespace : fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))
    const { fields, items, values, size } = schema as {
      readonly fields: readonly { readonly name: string; readonly type: Schema }[]
      readonly items: Schema
      readonly values: Schema
      readonly size: number
    }
    switch (type) {
      case 'record':
        return Object.fromEntries(fields.map((field) => [field.name, this.read(field.type, within)]))
      case 'array':
        return this.#blocks(() => this.read(items, within))
      case 'map':
        return Object.fromEntries(this.#blocks(() => [this.#text(), this.read(values, within)] as const))
      case 'fixed':
        return this.#take(size).toString('hex')
      default:
        return this.read(type, within)
    }
  }

  #primitive(type: string): unknown {
    switch (type) {
      case 'null':
        return null
      case 'boolean':
        return this.#take(1)[0] === 1
      case 'int':
      case 'long': {
        const value = this.#long()
        return Number.isSafeInteger(Number(value)) ? Number(value) : value
      }
      case 'double':
        return this.#take(8).readDoubleLE()
      case 'string':
        return this.#text()
      default:
        throw new Error(`unknown type ${type}`)
    }
  }

  #blocks<T>(read: () => T): T[] {
    const all: T[] = []
    for (;;) {
      const count = Number(this.#long())
      if (count === 0) return all
      for (let i = 0; i < count; i++) all.push(read())
    }
  }

  #text(): string {
    return this.#take(Number(this.#long())).toString()
  }

  #take(length: number): Buffer {
    this.position += length
    if (this.position > this.#bytes.length) throw new Error('the datum is truncated')
    return this.#bytes.subarray(this.position - length, this.position)
  }

  #long(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#take(1)[0]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return (value >> 1n) ^ -(value & 1n)
    }
  }
}

/** The codecs `avro`, `protobuf` and `json-schema`: a reader, and a writer where something is written. */
import type { Codec, ExactDecoding } from '../../contracts/codec.ts'
import type { SchemaCodecName } from '../../contracts/codec-names.ts'
import type { SchemaUse } from '../../contracts/schemas.ts'
import type { Batch, Payload } from '../../records/batch.ts'
import { SchemaReader } from './reader.ts'
import { Translation } from './translation.ts'
import { SchemaWriter } from './writer.ts'

export class SchemaCodec implements Codec {
  readonly name: SchemaCodecName
  readonly wire: string
  readonly digits: ExactDecoding
  readonly #use: SchemaUse
  readonly #reader: SchemaReader
  readonly #writer: SchemaWriter
  /** Of what `prepare` is about; both where there is no registry. */
  readonly #isSink: boolean
  readonly #isSource: boolean

  constructor(name: SchemaCodecName, use: SchemaUse) {
    this.name = name
    this.#use = use
    // Unchanged bytes mean the same wherever their id does, or where the schema is the same.
    this.wire = `${name} ${use.store === undefined ? `${use.own?.key} ${use.message ?? ''}` : [...use.store.urls].sort().join()}`
    this.#reader = new SchemaReader(name, use)
    this.digits = this.#reader.digits
    this.#writer = new SchemaWriter(name, use)
    this.#isSink = use.writing !== undefined || use.store === undefined
    this.#isSource = use.writing === undefined
  }

  prepare(batch: Batch, signal: AbortSignal): Promise<void> | undefined {
    const reads = this.#isSource ? this.#reader.prepare(batch, signal) : undefined
    const writes = this.#isSink ? this.#writer.prepare(signal) : undefined
    if (reads === undefined || writes === undefined) return reads ?? writes
    return Promise.all([reads, writes]).then(() => {})
  }

  /** Only without a schema of its own: then values have to be written with that. */
  translation(from: Codec): Translation | undefined {
    if (!(from instanceof SchemaCodec) || from.name !== this.name || from.wire === this.wire) return undefined
    const [source, target] = [from.#use, this.#use]
    if (source.store === undefined || target.store === undefined) return undefined
    if (source.own !== undefined || target.own !== undefined || target.writing === undefined) return undefined
    return new Translation(this.name, source.store, target.store, target)
  }

  decode(value: Buffer | null, batch?: Batch, row?: number): unknown {
    return value === null ? { value: null } : this.#reader.decode(value, batch, row)
  }

  encode(document: unknown): Payload {
    return this.#writer.encode(document)
  }
}

import { type Header, LazyRecord, type TimestampType } from './record.ts'

/** What a record reads of its batch. */
interface Rows {
  readonly origin: { readonly topic: string; readonly partition: number; readonly timestampType: TimestampType }
  offset(row: number): bigint
  timestampMs(row: number): number
  key(row: number): Buffer | null
  value(row: number): Buffer | null
  headers(row: number): readonly Header[]
}

/** A record that reads from its batch what is asked for, and nothing else. */
export class BatchRecord extends LazyRecord<Buffer, Buffer> {
  readonly #batch: Rows
  readonly #row: number
  constructor(batch: Rows, row: number) {
    super()
    this.#batch = batch
    this.#row = row
  }
  get topic(): string {
    return this.#batch.origin.topic
  }
  get partition(): number {
    return this.#batch.origin.partition
  }
  get timestampType(): TimestampType {
    return this.#batch.origin.timestampType
  }
  get offset(): bigint {
    return this.#batch.offset(this.#row)
  }
  get timestampMs(): number {
    return this.#batch.timestampMs(this.#row)
  }
  get key(): Buffer | null {
    return this.#batch.key(this.#row)
  }
  get value(): Buffer | null {
    return this.#batch.value(this.#row)
  }
  get headers(): readonly Header[] {
    return this.#batch.headers(this.#row)
  }
}

import { ProtocolError } from '../errors/index.ts'
import { type Codec, compileFields } from './compile.ts'
import type { Reader } from './reader.ts'
import type { Fields } from './schema.ts'
import type { Writer } from './writer.ts'

/** A message as it is read: every field is there, if only with its default. */
export type Decoded<T> = T extends string | number | boolean | null
  ? T
  : T extends Uint8Array
    ? Buffer
    : T extends readonly (infer E)[]
      ? Decoded<E>[]
      : { [K in keyof T]-?: Decoded<Exclude<T[K], undefined>> }

/** Versions of a message; inclusive. */
export interface Versions {
  readonly min: number
  readonly max: number
  /** First version with compact lengths and tagged fields; none when omitted. */
  readonly flexible?: number
}

/**
 * A request, a response, or a structure that travels inside of them, in all its versions.
 *
 * Fields that may be omitted when writing (`?` in `T`) have a default, or are not in all versions. A field that the
 * version does not have is refused unless it has its default or the definition calls it ignorable; that is what Kafka's
 * own code does.
 */
export class Message<T> {
  readonly name: string
  readonly versions: Versions
  readonly fields: Fields
  readonly #codecs: Codec[] = []

  constructor(name: string, versions: Versions, fields: Fields) {
    this.name = name
    this.versions = versions
    this.fields = fields
  }

  isFlexible(version: number): boolean {
    return this.versions.flexible !== undefined && version >= this.versions.flexible
  }

  /** @throws {ProtocolError} the bytes are not what the version says, or there is no such version */
  read(reader: Reader, version: number): Decoded<T> {
    const codec = this.#codec(version)
    try {
      // The table of fields and `T` are generated from the same definition.
      return codec.read(reader) as Decoded<T>
    } catch (cause) {
      throw this.#failed('read', version, cause)
    }
  }

  /** @throws {ProtocolError} a value does not fit the version, or there is no such version */
  write(writer: Writer, version: number, value: T): void {
    const codec = this.#codec(version)
    try {
      codec.write(writer, value)
    } catch (cause) {
      throw this.#failed('write', version, cause)
    }
  }

  #codec(version: number): Codec {
    let codec = this.#codecs[version]
    if (codec === undefined) {
      const { min, max } = this.versions
      if (!Number.isInteger(version) || version < min || version > max)
        throw new ProtocolError(
          `Version of ${this.name} must be between ${min} and ${max}: current value is ${version}`,
        )
      codec = compileFields(this.fields, version, this.isFlexible(version))
      this.#codecs[version] = codec
    }
    return codec
  }

  #failed(action: string, version: number, cause: unknown): ProtocolError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new ProtocolError(`Cannot ${action} ${this.name} version ${version}: ${reason}`, { cause })
  }
}

/** A pair of request and response, as `messages/` has it for each API. */
export interface Api<Q, R> {
  readonly key: number
  /** Kafka's name, for instance `Fetch`. */
  readonly name: string
  /** The newest version that Kafka calls stable; -1 when none is. */
  readonly latestStable: number
  readonly request: Message<Q>
  readonly response: Message<R>
}

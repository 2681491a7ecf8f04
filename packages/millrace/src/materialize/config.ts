/**
 * The endpoint configuration: what the process needs of it at run time.
 *
 * The schema in `spec.ts` is not the whole truth, as in the original: its defaults are those of a form, so `message_format`,
 * `topic_partitions` and `topic_replication_factor` must be there, and `credentials` and `tls` need not be. Unknown keys are
 * ignored. Texts about fields are those of the original.
 */
import { ConfigError } from '../errors/index.ts'

export const MESSAGE_FORMATS = ['Avro', 'JSON'] as const
export const COMPRESSIONS = ['none', 'gzip', 'lz4', 'snappy', 'zstd'] as const
export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

export interface Credentials {
  readonly mechanism: (typeof MECHANISMS)[number]
  readonly username: string
  readonly password: string
}

export interface RegistryConfig {
  readonly endpoint: string
  readonly username: string
  readonly password: string
}

export interface EndpointConfig {
  readonly bootstrapServers: string
  readonly credentials: Credentials | undefined
  /** Whether connections use TLS, with the certificates of the system. */
  readonly tls: boolean
  readonly messageFormat: (typeof MESSAGE_FORMATS)[number]
  readonly compression: (typeof COMPRESSIONS)[number]
  readonly schemaRegistry: RegistryConfig | undefined
  readonly topicPartitions: number
  readonly topicReplicationFactor: number
}

const MAX_I32 = 2 ** 31 - 1

/** Reads the fields of one object, and collects what is wrong with them. Values are not quoted: they may be secrets (I8). */
class Reader {
  readonly problems: string[]
  readonly #object: Readonly<Record<string, unknown>>
  readonly #place: string

  constructor(value: unknown, place: string, problems: string[]) {
    this.problems = problems
    this.#place = place
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject) this.#report('', `invalid type: ${typeName(value)}, expected an object`)
    this.#object = isObject ? (value as Record<string, unknown>) : {}
  }

  #report(name: string, text: string): void {
    const place = [this.#place, name].filter((part) => part !== '').join('.')
    this.problems.push(place === '' ? text : `${place}: ${text}`)
  }

  #missing(name: string): void {
    this.#report('', `missing field \`${name}\``)
  }

  string(name: string): string {
    const value = this.#object[name] ?? undefined
    if (value === undefined) this.#missing(name)
    else if (typeof value !== 'string') this.#report(name, `invalid type: ${typeName(value)}, expected a string`)
    else return value
    return ''
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback?: T): T {
    const value = this.#object[name] ?? undefined
    if (value === undefined) {
      if (fallback === undefined) this.#missing(name)
      return fallback ?? values[0]!
    }
    if (typeof value !== 'string') {
      this.#report(name, `invalid type: ${typeName(value)}, expected a string`)
      return values[0]!
    }
    const found = values.find((one) => one === value)
    if (found === undefined) this.#report(name, `unknown variant \`${value}\`, expected ${alternatives(values)}`)
    return found ?? values[0]!
  }

  integer(name: string): number {
    const value = this.#object[name] ?? undefined
    if (value === undefined) this.#missing(name)
    else if (typeof value !== 'number' || !Number.isInteger(value))
      this.#report(name, `invalid type: ${typeName(value)}, expected i32`)
    else if (Math.abs(value) > MAX_I32) this.#report(name, `invalid value: integer \`${value}\`, expected i32`)
    else return value
    return 0
  }

  /** An object that may be absent. */
  object(name: string): Reader | undefined {
    const value = this.#object[name] ?? undefined
    const place = [this.#place, name].filter((part) => part !== '').join('.')
    return value === undefined ? undefined : new Reader(value, place, this.problems)
  }

  has(name: string): boolean {
    return (this.#object[name] ?? undefined) !== undefined
  }

  throwProblems(what: string): void {
    const { problems } = this
    if (problems.length > 0)
      throw new ConfigError(
        `Cannot use ${what}: ${problems.join('; ')}`,
        problems.map((message) => ({ path: '', message })),
      )
  }
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'sequence'
  if (typeof value === 'object') return 'map'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'floating point'
  return typeof value
}

function alternatives(values: readonly string[]): string {
  const quoted = values.map((value) => `\`${value}\``)
  if (quoted.length < 3) return quoted.join(' or ')
  return `one of ${quoted.join(', ')}`
}

/** @throws {ConfigError} with all problems */
export function parseEndpointConfig(value: unknown): EndpointConfig {
  const reader = new Reader(value, '', [])
  const bootstrapServers = reader.string('bootstrap_servers')
  const credentials = parseCredentials(reader.object('credentials'))
  const tls = reader.has('tls')
  if (tls) reader.oneOf('tls', ['system_certificates'])
  const registry = reader.object('schema_registry')
  const config: EndpointConfig = {
    bootstrapServers,
    credentials,
    tls,
    messageFormat: reader.oneOf('message_format', MESSAGE_FORMATS),
    compression: reader.oneOf('compression', COMPRESSIONS, 'lz4'),
    schemaRegistry: registry && {
      endpoint: registry.string('endpoint'),
      username: registry.string('username'),
      password: registry.string('password'),
    },
    topicPartitions: reader.integer('topic_partitions'),
    topicReplicationFactor: reader.integer('topic_replication_factor'),
  }
  reader.throwProblems('the endpoint configuration')
  return config
}

function parseCredentials(reader: Reader | undefined): Credentials | undefined {
  if (reader === undefined) return undefined
  reader.oneOf('auth_type', ['user_password'])
  return {
    mechanism: reader.oneOf('mechanism', MECHANISMS),
    username: reader.string('username'),
    password: reader.string('password'),
  }
}

/** The topic of a binding. @throws {ConfigError} */
export function parseResource(value: unknown): string {
  const reader = new Reader(value, '', [])
  const topic = reader.string('topic')
  reader.throwProblems('the resource configuration of a binding')
  return topic
}

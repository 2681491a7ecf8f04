/**
 * A client of schema registries that speak Confluent's API: Confluent's own, Apicurio (`/apis/ccompat/v7`), Karapace, Redpanda.
 *
 * Schemas by id and versions by number never change and are kept for good; the latest version of a subject for a time; that something
 * is not there, for seconds; failures, not at all. Callers that ask for the same at the same time send one request.
 *
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import { isMillraceError } from '../errors/index.ts'
import { readCompatibility, readId, readNames, readSchema, readVersion } from './answers.ts'
import { CallCache, type Keeping } from './call-cache.ts'
import { Requests } from './requests.ts'
import type {
  ReferencedSchema,
  RegisteredSchema,
  Schema,
  SchemaReference,
  SchemaVersion,
  RegisterOptions,
  SchemaStore,
} from '../contracts/schemas.ts'
import type { RegistrySettings } from './settings.ts'

/** How long it is kept that a schema, subject or version is not there. */
const NOT_FOUND_MS = 5000

export class SchemaRegistry implements SchemaStore {
  /** Addresses, which tell one registry from another. */
  readonly urls: readonly string[]
  readonly #requests: Requests
  readonly #byId: CallCache<number, RegisteredSchema>
  readonly #byGuid: CallCache<string, RegisteredSchema>
  readonly #versions: CallCache<string, SchemaVersion>
  readonly #latest: CallCache<string, SchemaVersion>
  readonly #ids: CallCache<string, number>

  /** @param directory against which the relative paths of TLS files are resolved */
  constructor(settings: RegistrySettings, directory: string, now: () => number = Date.now) {
    this.urls = settings.urls
    this.#requests = new Requests(settings, directory)
    this.#byId = new CallCache<number, RegisteredSchema>(forGood, now)
    this.#byGuid = new CallCache<string, RegisteredSchema>(forGood, now)
    this.#versions = new CallCache<string, SchemaVersion>(forGood, now)
    this.#latest = new CallCache<string, SchemaVersion>({ ...forGood, answer: () => settings.latestTtlMs }, now)
    this.#ids = new CallCache<string, number>(forGood, now)
  }

  /**
   * The schema with an id.
   * @throws {RegistryError} `SCHEMA_NOT_FOUND`; {ConnectionError} `REGISTRY_UNAVAILABLE`; {AuthenticationError}
   */
  schema(id: number, signal?: AbortSignal): Promise<RegisteredSchema> {
    const action = `Cannot get schema ${id}`
    return this.#byId.get(id, action, signal, () =>
      this.#requests.send({ method: 'GET', path: `/schemas/ids/${id}`, action }, (answer) => readSchema(answer, id)),
    )
  }

  /** The schema with an id if it was fetched before; never waits. */
  knownSchema(id: number): RegisteredSchema | undefined {
    return this.#byId.peek(id)
  }

  /** The schema with a GUID, as records name it in a header. @throws as `schema` */
  schemaByGuid(guid: string, signal?: AbortSignal): Promise<RegisteredSchema> {
    const action = `Cannot get schema ${guid}`
    return this.#byGuid.get(guid, action, signal, () =>
      this.#requests.send({ method: 'GET', path: `/schemas/guids/${encodeURIComponent(guid)}`, action }, (answer) =>
        readSchema(answer),
      ),
    )
  }

  /** The latest version of a subject. @throws as `schema` */
  latest(subject: string, signal?: AbortSignal): Promise<SchemaVersion> {
    const action = `Cannot get the latest schema of subject "${subject}"`
    return this.#latest.get(subject, action, signal, () =>
      this.#requests.send({ method: 'GET', path: `${subjectPath(subject)}/versions/latest`, action }, readVersion),
    )
  }

  /** A version of a subject, also one that was deleted, as schemas may still refer to it. @throws as `schema` */
  version(subject: string, version: number, signal?: AbortSignal): Promise<SchemaVersion> {
    const action = `Cannot get version ${version} of subject "${subject}"`
    const path = `${subjectPath(subject)}/versions/${version}?deleted=true`
    return this.#versions.get(`${version} ${subject}`, action, signal, () =>
      this.#requests.send({ method: 'GET', path, action }, readVersion),
    )
  }

  /**
   * Registers a schema, or finds it registered.
   * @returns its id
   * @throws {RegistryError} `SCHEMA_REFUSED` when it is not valid or not compatible with earlier versions; otherwise as `schema`
   */
  async register(
    subject: string,
    schema: Schema,
    { normalize = false, signal }: RegisterOptions = {},
  ): Promise<number> {
    const action = `Cannot register the schema of subject "${subject}"`
    const path = `${subjectPath(subject)}/versions${normalize ? '?normalize=true' : ''}`
    return this.#ids.get(keyOf('register', subject, schema), action, signal, async () => {
      const id = await this.#requests.send({ method: 'POST', path, body: bodyOf(schema), action }, readId)
      // It may be the latest version now.
      this.#latest.forget(subject)
      return id
    })
  }

  /** The id of a schema that is registered under a subject. @throws {RegistryError} `SCHEMA_NOT_FOUND`; otherwise as `schema` */
  lookup(subject: string, schema: Schema, signal?: AbortSignal): Promise<number> {
    const action = `Cannot find the schema in subject "${subject}"`
    return this.#ids.get(keyOf('lookup', subject, schema), action, signal, () =>
      this.#requests.send({ method: 'POST', path: subjectPath(subject), body: bodyOf(schema), action }, readId),
    )
  }

  /** The version that a schema has under a subject. @throws as `lookup` */
  versionOf(subject: string, schema: Schema, signal?: AbortSignal): Promise<number> {
    const action = `Cannot find the schema in subject "${subject}"`
    return this.#ids.get(keyOf('version', subject, schema), action, signal, () =>
      this.#requests.send(
        { method: 'POST', path: subjectPath(subject), body: bodyOf(schema), action },
        (answer) => readVersion(answer).version,
      ),
    )
  }

  /** Whether a schema is compatible with the latest version of a subject by the rules of that subject. @throws as `schema` */
  compatibility(
    subject: string,
    schema: Schema,
  ): Promise<{ readonly isCompatible: boolean; readonly reasons: readonly string[] }> {
    const action = `Cannot check the compatibility of a schema with subject "${subject}"`
    const path = `/compatibility${subjectPath(subject)}/versions/latest?verbose=true`
    return this.#requests.send({ method: 'POST', path, body: bodyOf(schema), action }, readCompatibility)
  }

  /** Names of all subjects, which also shows that the registry answers. @throws as `schema` */
  subjects(): Promise<readonly string[]> {
    return this.#requests.send({ method: 'GET', path: '/subjects', action: 'Cannot list subjects' }, readNames)
  }

  /**
   * The schemas that one refers to, and those that these refer to: each once, before those that need it.
   * @throws as `schema`
   */
  async references(schema: Pick<Schema, 'references'>, signal?: AbortSignal): Promise<readonly ReferencedSchema[]> {
    const found = new Map<string, ReferencedSchema>()
    const open = new Set<string>()
    const visit = async ({ name, subject, version }: SchemaReference): Promise<void> => {
      // A cycle is for the format to refuse; here it must only end.
      if (found.has(name) || open.has(name)) return
      open.add(name)
      const needed = await this.version(subject, version, signal)
      for (const reference of needed.references) await visit(reference)
      found.set(name, { name, text: needed.text })
    }
    for (const reference of schema.references) await visit(reference)
    return [...found.values()]
  }

  /** Ends requests that are running, with {ClosedError}. May be called twice. */
  close(): Promise<void> {
    return this.#requests.close()
  }
}

const forGood: Keeping<unknown> = {
  answer: () => Number.POSITIVE_INFINITY,
  failure: (error) => (isMillraceError(error) && error.code === 'SCHEMA_NOT_FOUND' ? NOT_FOUND_MS : 0),
}

function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`
}

function bodyOf({ type, text, references }: Schema): object {
  return { schema: text, schemaType: type, ...(references.length === 0 ? {} : { references }) }
}

function keyOf(what: string, subject: string, schema: Schema): string {
  return JSON.stringify([what, subject, schema.type, schema.text, schema.references])
}

/** What the listeners of a broker ask of clients, from its options. */
import type { Store } from '../storage/store.ts'
import type { StoredState } from '../storage/changes.ts'
import { type Acl, ACL_ENTRIES, Acls } from './acls.ts'
import type { Action, Authorize } from './authorizer.ts'
import type { Conversation } from './conversation.ts'
import type { SaslMechanismName, SecurityOptions } from './options.ts'
import { SCRAM_ENTRIES, ScramCredentials, type StoredCredential } from './scram-credentials.ts'

export class Security {
  readonly #options: SecurityOptions
  /** Mechanisms that clients may choose; none without SASL. */
  readonly mechanisms: readonly SaslMechanismName[]
  readonly scram: ScramCredentials
  /** Undefined when a function decides, or everything is allowed. */
  readonly acls: Acls | undefined
  /** Whether an action is allowed; undefined when everything is. */
  readonly authorize: Authorize | undefined

  constructor(options: SecurityOptions, store: Store) {
    const { sasl = {}, authorization } = options
    this.#options = options
    const { PLAIN, OAUTHBEARER } = sasl
    this.mechanisms = [
      ...(PLAIN === undefined ? [] : (['PLAIN'] as const)),
      ...(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).filter((name) => sasl[name] !== undefined),
      ...(OAUTHBEARER === undefined ? [] : (['OAUTHBEARER'] as const)),
    ]
    this.scram = new ScramCredentials(sasl, store)
    this.acls =
      authorization === undefined || typeof authorization === 'function' ? undefined : new Acls(authorization, store)
    this.authorize = typeof authorization === 'function' ? authorization : this.acls?.authorize
  }

  /** Takes over what was kept. */
  restore({ entries }: StoredState): void {
    for (const { kind, value } of entries.values()) {
      // The journal holds what this class has written.
      if (kind === ACL_ENTRIES) this.acls?.restore(value as Acl)
      else if (kind === SCRAM_ENTRIES) this.scram.restore(value as StoredCredential)
    }
  }

  /** Name of the listeners' protocol. */
  get protocol(): 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL' {
    const { tls } = this.#options
    if (this.mechanisms.length > 0) return tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
    return tls === undefined ? 'PLAINTEXT' : 'SSL'
  }

  get maxReauthMs(): number {
    return this.#options.sasl?.maxReauthMs ?? Infinity
  }

  /** The side of the broker in a mechanism; `undefined` when it is not offered. */
  async converse(
    name: string,
  ): Promise<{ readonly mechanism: SaslMechanismName; readonly conversation: Conversation } | undefined> {
    const mechanism = this.mechanisms.find((offered) => offered === name)
    return mechanism === undefined ? undefined : { mechanism, conversation: await this.#begin(mechanism) }
  }

  /** What a mechanism is made of is loaded when it is chosen. */
  async #begin(mechanism: SaslMechanismName): Promise<Conversation> {
    const { PLAIN, OAUTHBEARER } = this.#options.sasl!
    if (mechanism === 'PLAIN') return (await import('./plain.ts')).plainConversation(PLAIN!)
    if (mechanism === 'OAUTHBEARER') return (await import('./oauthbearer.ts')).oauthBearerConversation(OAUTHBEARER!)
    return (await import('./scram.ts')).scramConversation(mechanism, this.scram)
  }

  permits(action: Action): boolean {
    return this.authorize === undefined || this.authorize(action)
  }
}

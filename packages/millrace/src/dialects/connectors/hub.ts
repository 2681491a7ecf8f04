/**
 * The hub: a Kafka cluster whose topics hold events. Sources write to it, sinks read from it.
 */
import { CLUSTER_FIELDS } from '../../kafka/properties/cluster-fields.ts'
import { problem, type Options } from '../../options/declaration.ts'
import type { PlannedComponent } from '../../engine/plan.ts'
import type { brokerFields, settingsFields } from './fields.ts'
import { securityOptions } from './security.ts'
import { securityProblems, type Report } from './translate.ts'

type Written = { readonly [name: string]: unknown }

/** How to reach the hub, as options of our `kafka` components. */
export function hubOptions(
  broker: Options<typeof brokerFields>,
  settings: Options<typeof settingsFields> | undefined,
  report: Report,
): Written {
  const { tls } = broker
  const problems = securityProblems(broker, ['broker'])
  for (const one of problems) report(one)
  // What follows from them is no news.
  const security = problems.length > 0 ? undefined : broker.security
  if (tls?.enabled === true && broker.security !== undefined)
    report({
      ...problem('broker', 'Cannot use both tls and security, as both set how connections are secured', 'delete tls'),
      path: ['broker', 'tls'],
    })
  if (tls?.insecure === true)
    report({
      path: ['broker', 'tls', 'insecure'],
      message: 'Cannot use insecure, as certificates are always verified',
      suggestion: 'set ca_path to the certificate of the authority',
    })
  const { retry } = settings ?? {}
  const encryption =
    tls?.enabled === true
      ? {
          securityProtocol: 'SSL',
          truststoreLocation: tls.ca_path,
          certificateLocation: tls.cert_path,
          keyLocation: tls.key_path,
        }
      : {}
  return {
    bootstrapServers: broker.bootstrap_servers,
    metadataMaxAgeMs: broker.metadata_refresh_ms,
    connectTimeoutMs: broker.connection_timeout_ms,
    requestTimeoutMs: broker.request_timeout_ms,
    ...(retry === undefined
      ? {}
      : { retryBackoffMs: retry.initial_backoff_ms, retryBackoffMaxMs: retry.max_backoff_ms }),
    ...encryption,
    ...securityOptions(security),
  }
}

/** The cluster of a connector itself, which is the hub of a file that names none. */
export function ownCluster({ options }: PlannedComponent): Written {
  return Object.fromEntries(Object.keys(CLUSTER_FIELDS).map((name) => [name, options[name]]))
}

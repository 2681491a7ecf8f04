/**
 * Rules across the options of OAUTHBEARER: one way of getting a token, and nothing that would not be used.
 */
import { problem, warning, type OptionProblem } from '../../../options/declaration.ts'
import type { LoginModule } from '../jaas.ts'
import { type SecurityOptions, tokenSettings } from '../settings.ts'
import { isExtension } from './oauth-token.ts'

/** What a login module and an option may both say. */
const ALSO_IN_JAAS = [
  ['oauthClientId', 'clientId'],
  ['oauthClientSecret', 'clientSecret'],
  ['oauthScope', 'scope'],
] as const

export function oauthProblems(options: SecurityOptions, module: LoginModule | undefined): OptionProblem[] {
  const { oauthToken, oauthTokenEndpoint: endpoint, securityProtocol } = options
  const isFile = endpoint !== undefined && /^file:/i.test(endpoint)
  if (oauthToken !== undefined && endpoint !== undefined)
    return [problem('oauthToken', 'Cannot use both oauthToken and oauthTokenEndpoint', 'delete one')]
  const twice = ALSO_IN_JAAS.find(([name, inJaas]) => options[name] !== undefined && module?.options.has(inJaas))
  if (twice !== undefined)
    return [problem(twice[0], `Cannot use both ${twice[0]} and ${twice[1]} of sasl.jaas.config`, 'delete one')]
  if (endpoint === undefined || isFile) {
    const unused = (['oauthClientId', 'oauthClientSecret', 'oauthScope'] as const).find(
      (name) => options[name] !== undefined,
    )
    if (unused !== undefined)
      return [
        problem(unused, 'It has no effect without a token endpoint', 'set oauthTokenEndpoint to an https: address'),
      ]
  }
  if (tokenSettings(options, module) === undefined) {
    if (endpoint !== undefined) {
      const hasId = (options.oauthClientId ?? module?.options.get('clientId')) !== undefined
      return [
        problem(
          hasId ? 'oauthClientSecret' : 'oauthClientId',
          `Missing the ${hasId ? 'secret of the client' : 'client'} for requests to the token endpoint`,
          'set oauthClientId and oauthClientSecret',
        ),
      ]
    }
    return [
      problem(
        'saslMechanism',
        'Missing a token, which sasl.mechanism OAUTHBEARER requires',
        'set oauthTokenEndpoint with oauthClientId and oauthClientSecret, or oauthToken',
      ),
    ]
  }
  const unlikely = extensionProblem(options, module)
  if (unlikely !== undefined) return [unlikely]
  const warnings: OptionProblem[] = []
  if (securityProtocol === 'SASL_PLAINTEXT' && tokenSettings(options, module)?.from !== 'claims')
    warnings.push(
      warning('securityProtocol', 'The token is sent to brokers in clear text over SASL_PLAINTEXT', 'use SASL_SSL'),
    )
  if (endpoint !== undefined && /^http:/i.test(endpoint) && !isLoopback(endpoint))
    warnings.push(
      warning('oauthTokenEndpoint', 'The secret of the client is sent in clear text over http', 'use https'),
    )
  return warnings
}

/** Extensions as RFC 7628 and Kafka allow them; others would change the meaning of the message. */
function extensionProblem(options: SecurityOptions, module: LoginModule | undefined): OptionProblem | undefined {
  const inJaas = [...(module?.options ?? [])].flatMap(([name, value]): [string, string, string][] =>
    name.startsWith('extension_') ? [['saslJaasConfig', name.slice('extension_'.length), value]] : [],
  )
  const own = Object.entries(options.oauthExtensions ?? {}).map(([name, value]): [string, string, string] => [
    'oauthExtensions',
    name,
    value,
  ])
  const wrong = [...inJaas, ...own].find(([, name, value]) => !isExtension(name, value))
  return wrong === undefined
    ? undefined
    : problem(
        wrong[0],
        `Cannot use the SASL extension "${wrong[1]}" as a name must consist of letters and not be "auth", and a value must consist of printable characters`,
      )
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)
}

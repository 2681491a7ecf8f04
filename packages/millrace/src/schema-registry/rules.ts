/**
 * Rules across the options of a schema registry: one way to authenticate, nothing that would not be used, no secret in clear text.
 */
import { problem, warning, type OptionProblem } from '../options/declaration.ts'
import type { RegistryOptions } from './fields.ts'

/** Problems of options that are fine one by one, with paths below the registry. */
export function registryProblems(options: RegistryOptions): OptionProblem[] {
  const { username, password, bearerToken, oauthTokenEndpoint: endpoint, oauthClientId, oauthClientSecret } = options
  const ways = Object.entries({ username, bearerToken, oauthTokenEndpoint: endpoint }).filter(([, value]) => value)
  if (ways.length > 1) return [problem(ways[1]![0], `Cannot use both ${ways[0]![0]} and ${ways[1]![0]}`, 'delete one')]
  if (username === undefined && password !== undefined)
    return [problem('password', 'The password of the schema registry has no effect without username', 'set username')]
  if (endpoint !== undefined && (oauthClientId === undefined || oauthClientSecret === undefined))
    return [problem('oauthTokenEndpoint', 'oauthTokenEndpoint requires oauthClientId and oauthClientSecret')]
  if (endpoint !== undefined && !/^https?:/i.test(endpoint))
    return [
      problem('oauthTokenEndpoint', 'The tokens of a schema registry cannot come from a file', 'use an https: address'),
    ]
  const unused = (['oauthClientId', 'oauthClientSecret', 'oauthScope'] as const).find(
    (name) => options[name] !== undefined && endpoint === undefined,
  )
  if (unused !== undefined)
    return [problem(unused, `${unused} has no effect without oauthTokenEndpoint`, 'set oauthTokenEndpoint')]
  return [...storeProblems(options), ...clearTextWarnings(options, ways.length > 0)]
}

const TLS_MATERIAL = ['truststoreLocation', 'keystoreLocation', 'keyLocation', 'certificateLocation'] as const

function storeProblems(options: RegistryOptions): OptionProblem[] {
  const { keystoreLocation, keyLocation, certificateLocation } = options
  const unused = TLS_MATERIAL.find((name) => options[name] !== undefined)
  if (unused !== undefined && !options.url.some((url) => url.startsWith('https:')))
    return [problem(unused, `${unused} has no effect with an address that begins with http:`, 'use https:')]
  if ((keyLocation === undefined) !== (certificateLocation === undefined))
    return [
      problem(
        keyLocation === undefined ? 'certificateLocation' : 'keyLocation',
        'keyLocation and certificateLocation must be set together',
      ),
    ]
  if (keyLocation !== undefined && keystoreLocation !== undefined)
    return [problem('keyLocation', 'Cannot use both keyLocation and keystoreLocation', 'delete one')]
  const jks = (['truststoreLocation', 'keystoreLocation'] as const).find((name) => options[name]?.endsWith('.jks'))
  return jks === undefined ? [] : [problem(jks, 'Cannot read a JKS store', 'convert it to PEM or PKCS12')]
}

function clearTextWarnings({ url }: RegistryOptions, hasCredentials: boolean): OptionProblem[] {
  const open = url.find((one) => one.startsWith('http:') && !isLoopback(one))
  return hasCredentials && open !== undefined
    ? [warning('url', `The credentials are sent to "${open}" in clear text`, 'use https:')]
    : []
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)
}

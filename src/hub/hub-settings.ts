import { readFileSync } from 'node:fs';
import { cleanToken, expanded, hubCacheFolder, isTrue, tokenPlace } from '../files/hub-cache';

/** The environment's settings for the hub, in the variables that huggingface_hub reads. */
export interface HubSettings {
  /** "https://huggingface.co", or a mirror; no slash at the end. */
  endpoint: string;
  /** No request may be made. */
  offline: boolean;
  /** True if large files may come from Xet's servers. */
  xet: boolean;
  /** Must not appear in any text, and goes to the endpoint only. */
  token?: string;
  /** The folder of the cache. */
  cache: string;
  /** Proxies, as their variables state them. */
  proxies: { http?: string; https?: string; except?: string };
  /** Files with certificates to trust beside the usual ones, each with the variable that names it. */
  certificates: { variable: string; path: string }[];
}

type Environment = Readonly<NodeJS.ProcessEnv>;

/** The names and their order are those of constants.py and utils/_auth.py of huggingface_hub. */
export function hubSettings(env: Environment = process.env): HubSettings {
  const token = tokenOf(env);
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    offline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    xet: !isTrue(env.HF_HUB_DISABLE_XET),
    token,
    cache: hubCacheFolder(env),
    proxies: {
      http: proxyOf(env.http_proxy || env.HTTP_PROXY),
      https: proxyOf(env.https_proxy || env.HTTPS_PROXY),
      except: env.no_proxy || env.NO_PROXY || undefined,
    },
    certificates: CERTIFICATES.flatMap((variable) => {
      const path = env[variable];
      return path ? [{ variable, path: expanded(path, env) }] : [];
    }),
  };
}

/** A proxy's address as requests, httpx and curl read it: "proxy.example:3128" is an address too. */
const proxyOf = (address = ''): string | undefined =>
  address === '' || address.includes('://') ? address || undefined : `http://${address}`;

/**
 * NODE_EXTRA_CA_CERTS is Node's; the others are those of requests and httpx, on which huggingface_hub is built.
 * Python trusts only the named file; here it is trusted in addition.
 */
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'];

function tokenOf(env: Environment): string | undefined {
  const place = tokenPlace(env);
  if (place === undefined || 'token' in place) return place?.token;
  try {
    return cleanToken(readFileSync(place.file, 'utf8'));
  } catch {
    return undefined;
  }
}

import { Hub } from '../../../hub/client';

/** The hub that the environment names, with a warning where it gets no token. */
export function openHub(): Hub {
  const hub = new Hub();
  if (hub.http.withholds)
    process.stderr.write(
      `Warning: HF_ENDPOINT is ${hub.http.endpoint.origin}, to which your token is not sent: anyone on the network could read it. Use https.\n`,
    );
  return hub;
}

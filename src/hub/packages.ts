/**
 * The packages that make requests. The build bundles this file separately, as dist/hub-packages.cjs: most commands make no
 * request, and start without them.
 */
export { commit, downloadFile, fileDownloadInfo, HubApiError } from '@huggingface/hub';
export { EnvHttpProxyAgent, request } from 'undici';

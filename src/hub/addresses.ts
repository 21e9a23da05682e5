import type { HubKind } from '../experiment/hub-reference';
import type { HubFile } from './types';

/** The addresses of hf_hub_url in file_download.py, and of hf_api.py, of huggingface_hub. */

/** "https://huggingface.co/api/models/FacebookAI/roberta-base/revision/main". */
export const infoAddress = (endpoint: string, kind: HubKind, repo: string, revision: string): string =>
  `${endpoint}/api/${kind}s/${repo}/revision/${encodeURIComponent(revision)}`;

/** All files of a commit, or those that are in no folder, in pages. */
export const treeAddress = (
  endpoint: string,
  kind: HubKind,
  repo: string,
  commit: string,
  deep: boolean,
): string => `${endpoint}/api/${kind}s/${repo}/tree/${commit}${deep ? '?recursive=true' : ''}`;

/** Answers with the file, or redirects to where it is stored. */
export const fileAddress = (endpoint: string, { repo, file }: HubFile): string =>
  `${pageAddress(endpoint, repo.kind, repo.id)}/resolve/${repo.commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;

/** The page for people. */
export const pageAddress = (endpoint: string, kind: HubKind, repo: string): string =>
  `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${repo}`;

/** "the model FacebookAI/roberta-base". */
export const repoWords = (kind: HubKind, repo: string): string =>
  `the ${kind === 'dataset' ? 'data set' : 'model'} ${repo}`;

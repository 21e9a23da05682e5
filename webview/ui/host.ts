import type { Init, PageState } from '../../src/protocol/panels/handshake';
import { setTranslations } from '../../src/base/l10n';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** May be called once per page. */
const api = acquireVsCodeApi();

const state = () => api.getState() as PageState<unknown> | undefined;

/** Sends to the extension host; see src/protocol/panels for the messages. */
export const post = <Message>(message: Message): void => api.postMessage(message);

/** The page's own state: which tab, which scale. */
export const savedUi = <Ui>(): Partial<Ui> => (state()?.ui ?? {}) as Partial<Ui>;
export const saveUi = (ui: unknown): void => api.setState({ ...state(), ui });

/** Listens, then sends `ready`. `init` comes first; later messages go to `receive`. */
export function connect<Open, FromHost extends { type: string }>(
  init: (open: Open) => void,
  receive: (message: FromHost) => void,
): void {
  window.addEventListener('message', ({ data }: MessageEvent<Init<Open> | FromHost>) => {
    if (data.type !== 'init') return receive(data as FromHost);
    const { open, l10n } = data as Init<Open>;
    setTranslations(l10n);
    api.setState({ ...state(), open });
    init(open);
  });
  api.postMessage({ type: 'ready' });
}

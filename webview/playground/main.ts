import '../ui/page.css';
import '../ui/fields.css';
import '../ui/marked-text.css';
import './playground.css';
import './span-answer.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { PlaygroundPage } from './playground-page';

followSeries();
registerToolkit();
customElements.define('aurora-playground', PlaygroundPage);
document.body.append(document.createElement('aurora-playground'));

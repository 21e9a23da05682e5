import '../ui/page.css';
import './playground.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { PlaygroundApp } from './app';

followSeries();
registerToolkit();
customElements.define('aurora-playground', PlaygroundApp);
document.body.append(document.createElement('aurora-playground'));

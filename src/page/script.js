// Live updates, ticking ages, keys. Everything on the pages works without it.
(()=>{'use strict'
const main=document.getElementById('main'),live=document.getElementById('live'),$=(q,e=document)=>e.querySelector(q),$$=(q,e=document)=>[...e.querySelectorAll(q)]
const skew=+main.dataset.now-Date.now(),now=()=>Date.now()+skew,hms=t=>new Date(t).toISOString().slice(11,19)
const say=(d=>{const s=Math.round(d/1e3),p=n=>String(n).padStart(2,'0');return d<1?'under\u00a01\u00a0ms':d<100?Math.floor(d)+'\u00a0ms':d<1e3?'0.'+Math.floor(d/100)+'\u00a0s':s<60?s+'\u00a0s':s<600?Math.floor(s/60)+'\u00a0min\u00a0'+p(s%60)+'\u00a0s':s<3600?Math.floor(s/60)+'\u00a0min':s<86400?Math.floor(s/3600)+'\u00a0h\u00a0'+p(Math.floor(s/60)%60)+'\u00a0min':Math.floor(s/86400)+'\u00a0d\u00a0'+Math.floor(s/3600)%24+'\u00a0h'})
let lost=0,waits=new Map()
const tick=()=>{for(const e of $$('[data-since]')){const d=now()-e.dataset.since;if(d<6e5||Math.floor(d/1e3)%60===0)e.textContent=say(d)}
if(main.dataset.stream)live.textContent=lost?'since '+hms(lost)+', reconnecting':waits.size?'order changed':'live · '+hms(now())+' UTC'}
setInterval(tick,1e3)

// ---- live: the server renders, this only replaces
const busy=e=>e.matches(':hover')&&$('.list,table,form',e)||e.contains(document.activeElement)||e.contains(getSelection().anchorNode)&&!getSelection().isCollapsed
const keys=e=>$$('[data-key]',e).map(r=>r.dataset.key).join(' ')
function put(name,html){const old=$('[data-live="'+name+'"]');if(!old)return
const t=document.createElement('template');t.innerHTML=html;const fresh=t.content.firstElementChild
if(!fresh)return
if(busy(old)&&(keys(old)!==keys(fresh)||old.contains(document.activeElement)||$('form',old))){waits.set(name,html);return}
waits.delete(name)
const before=new Map($$('[data-key]',old).map(r=>[r.dataset.key,r.textContent]))
old.replaceWith(fresh)
for(const r of $$('[data-key]',fresh))if(before.get(r.dataset.key)!==r.textContent)r.classList.add('fresh')}
setInterval(()=>{for(const [n,h] of waits)put(n,h)},500)
function log(html){const pre=$('[data-log]');if(!pre)return
const end=innerHeight+scrollY>=document.documentElement.scrollHeight-80
pre.insertAdjacentHTML('beforeend',html);if(end)scrollTo(0,document.documentElement.scrollHeight)}
if(main.dataset.stream){let u=main.dataset.stream,s;const open=()=>{s=new EventSource(u)
s.onopen=()=>{lost=0;tick()}
s.onerror=()=>{if(!lost)lost=now();tick();if(s.readyState===2)setTimeout(open,5e3)}
s.addEventListener('put',e=>{const d=JSON.parse(e.data);put(d.name,d.html)})
s.addEventListener('log',e=>log(JSON.parse(e.data)))
s.addEventListener('end',()=>s.close())}
open()
setInterval(()=>{const p=$('.say');if(lost&&now()-lost>3e4&&!$('#lost'))p.insertAdjacentHTML('beforebegin','<p class="say warn" id="lost">The server does not answer; what you see is old.</p>');if(!lost&&$('#lost'))$('#lost').remove()},2e3)}

// ---- keys
const off=()=>{try{return localStorage.getItem('weir-keys')==='off'}catch{return 0}}
const rows=()=>$$('.list>li a[href],.rows>li a[href],tbody tr th a[href]').filter((a,i,l)=>i===0||a.closest('li,tr')!==l[i-1].closest('li,tr'))
const move=d=>{const r=rows(),i=r.findIndex(a=>a.closest('li,tr').contains(document.activeElement)),n=r[Math.min(r.length-1,Math.max(0,i<0?d>0?0:r.length-1:i+d))];if(n)n.focus()}
function help(){let d=$('#keys');if(!d){d=document.createElement('dialog');d.id='keys'
d.innerHTML='<h2>Keys</h2><ul><li><kbd>?</kbd>this list<li><kbd>/</kbd>go to a change or commit<li><kbd>j</kbd><kbd>k</kbd>next, previous row<li><kbd>Enter</kbd>open the row<li><kbd>.</kbd>actions of the page<li><kbd>1</kbd>–<kbd>3</kbd>flow, queue, environments<li><kbd>R</kbd>the button that rolls back</ul><p><label><input type="checkbox" id="keyson"> keys are on</label></p><form method="dialog"><button>Close</button></form>'
document.body.append(d);const c=$('#keyson');c.checked=!off();c.onchange=()=>{try{localStorage.setItem('weir-keys',c.checked?'on':'off')}catch{}}}
d.showModal()}
addEventListener('keydown',e=>{if(e.ctrlKey||e.altKey||e.metaKey||/INPUT|TEXTAREA|SELECT/.test(e.target.tagName)||$('dialog[open]'))return
if(e.key==='?'){help();return}
if(off())return
const nav=$$('.top nav a')[+e.key-1],to=e.key==='/'?$('.top input'):e.key==='.'?$('main form button'):e.key==='R'?$('#rollback'):0
if(to){e.preventDefault();to.focus()}else if(e.key==='j')move(1);else if(e.key==='k')move(-1);else if(nav)location.href=nav.href})
})()

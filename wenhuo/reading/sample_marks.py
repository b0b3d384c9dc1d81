"""What happens to texts on their way into a data set: other widths and scripts, HTML remains, invisible marks."""

from __future__ import annotations

from random import Random

ZERO_WIDTH = "\u200b\ufeff\u200e\u2060"
RARE = ("，主人公叫阿𠮷", "，店名里有个㐂字", "，书里还有个生僻字𡋾")
"""Endings with ideographs of the extensions A and B: four bytes each in GB18030, none of them in GBK."""

_FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}

# Only what the grammar can write. Words come first, where one simplified character stands for several traditional ones.
_WORDS = {"关系": "關係", "划痕": "劃痕", "尽管": "儘管", "精致": "精緻", "联系": "聯繫", "面包": "麵包"}
_SIMPLIFIED = (
    "与丑专业东丝两严个丰临为么义书买乱于产从们价优会伞传体余偿儿关内册写冲决净准凉减凑几凶刚删别剧劝办务"
    "动区单卖卫厉压厌参双发台号叽后吗听启员响团围图坏块垫墙声壳处备复够头夸妈学实宽宾对导尔尘尽层岁师带帧"
    "帮干并广庄应开异张弹强归当录彻忧总惊愿戏战户扫扬抢护担拦挂挤换据摆摊撑数断无旧时显晒晕机条来松标栈树"
    "样档检楼欢毁毕气没洁洒浅浆测涩渍温游湿满灯灵点烂烟烦烧热爱独环现电画畅盖盘瞒码砖确礼离种积称稳笔签简"
    "类紧纠约级纸线细终绍经结绕给络绝统续绿编缝网联肠肤肿胆胶脏脑脚腻舰节范荐荣获蓝虚虽蛮补装见观规视觉触"
    "计订认讨让议记讲论设访评词译试话该语说请读课谁调谈谓谢谱负责账货质购贴贵费赔赖赞赶车转软轻载边过运还"
    "这进远连迟迹适递遥采释里钝钟钱铁铺链锁错键镜长门闪问间闷队阳阴际陈随难霉静页顶顺须预频颖颗题颜风飙饭"
    "饱馆马驱骂骄验鲜鸡黄齐"
)
_TRADITIONAL = (
    "與醜專業東絲兩嚴個豐臨為麼義書買亂於產從們價優會傘傳體餘償兒關內冊寫衝決淨準涼減湊幾兇剛刪別劇勸辦務"
    "動區單賣衛厲壓厭參雙發臺號嘰後嗎聽啟員響團圍圖壞塊墊牆聲殼處備復夠頭誇媽學實寬賓對導爾塵盡層歲師帶幀"
    "幫乾並廣莊應開異張彈強歸當錄徹憂總驚願戲戰戶掃揚搶護擔攔掛擠換據擺攤撐數斷無舊時顯曬暈機條來鬆標棧樹"
    "樣檔檢樓歡毀畢氣沒潔灑淺漿測澀漬溫遊濕滿燈靈點爛煙煩燒熱愛獨環現電畫暢蓋盤瞞碼磚確禮離種積稱穩筆籤簡"
    "類緊糾約級紙線細終紹經結繞給絡絕統續綠編縫網聯腸膚腫膽膠髒腦腳膩艦節範薦榮獲藍虛雖蠻補裝見觀規視覺觸"
    "計訂認討讓議記講論設訪評詞譯試話該語說請讀課誰調談謂謝譜負責賬貨質購貼貴費賠賴贊趕車轉軟輕載邊過運還"
    "這進遠連遲跡適遞遙採釋裡鈍鍾錢鐵鋪鏈鎖錯鍵鏡長門閃問間悶隊陽陰際陳隨難黴靜頁頂順須預頻穎顆題顏風飆飯"
    "飽館馬驅罵驕驗鮮雞黃齊"
)
_SCRIPT = str.maketrans(_SIMPLIFIED, _TRADITIONAL)


def full_width(text: str) -> str:
    """The text with its Latin letters and digits in full-width forms; punctuation stays."""
    return text.translate(_FULL_WIDTH)


def traditional(text: str) -> str:
    """The text in traditional characters, as far as the grammar's own words go."""
    for word, other in _WORDS.items():
        text = text.replace(word, other)
    return text.translate(_SCRIPT)


def web_remains(text: str, rng: Random) -> str:
    """The text with a tag or an entity that a web page left in it; needs a "，"."""
    return rng.choice((_broken_line, _hard_spaces, _ampersand, _paragraph))(text)


def zero_width(text: str, rng: Random) -> str:
    """The text with one to three invisible marks in it: zero-width spaces, joiners, byte order and direction marks."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(1, len(text))
        text = text[:place] + rng.choice(ZERO_WIDTH) + text[place:]
    return text


def respaced(text: str, rng: Random) -> str:
    """The text with other white space: around it, after its first "，" or doubled."""
    return rng.choice(("  " + text, text + "\u3000", "\u3000\u3000" + text + " ", text.replace("，", "， ", 1)))


def broken_line(text: str) -> str:
    """The text on two lines, as in a quoted CSV field; needs a "，"."""
    return text.replace("，", "，\n", 1)


def _broken_line(text: str) -> str:
    return text.replace("，", "，<br/>", 1)


def _hard_spaces(text: str) -> str:
    return "&nbsp;&nbsp;" + text


def _ampersand(text: str) -> str:
    return text.replace("，", "&amp;", 1)


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>"

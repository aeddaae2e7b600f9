package login

import "strings"

// browsers, and the systems they run on, are known by words of how they
// call themselves. The first that fits is meant: each claims to be what comes
// after it, so that sites which do not know it let it in.
var browsers, systems = []named{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
}, []named{
	{"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "a Mac"}, {"Linux", "Linux"},
}

type named struct{ by, name string }

// Browser says in a few words where the person is logged in, as far as one can
// tell from what the browser says of itself.
func (s Session) Browser() string {
	browser, system := nameIn(browsers, s.UserAgent), nameIn(systems, s.UserAgent)
	switch {
	case browser == "" && system == "":
		return "An unknown browser"
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

func nameIn(all []named, agent string) string {
	for _, n := range all {
		if strings.Contains(agent, n.by) {
			return n.name
		}
	}
	return ""
}
